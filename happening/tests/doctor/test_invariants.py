"""Each invariant is broken by somebody who writes while the guards are off; the doctor sees it."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import CheckConstraint
from django.utils import timezone

from bookings import services
from bookings.models import Booking, EventJob
from events.models import Event
from happening.doctor.invariants import HELD, KEPT
from happening.tests.doctor.conftest import wrong
from notifications.models import Notification
from tests.factories import EventFactory, UserFactory

pytestmark = pytest.mark.django_db(transaction=True)
BY_NAME = {invariant.name: invariant for invariant in (*HELD, *KEPT)}


@pytest.fixture
def event():
    return EventFactory(total_slots=10)


@pytest.fixture
def booking(event):
    return book(event, 2)


@pytest.fixture
def unguarded(sql):
    """Write past every trigger and foreign key, as whoever loads rows by hand does."""

    def write(statement: str, *facts) -> None:
        sql("SET session_replication_role = replica")
        try:
            sql(statement, *facts)
        finally:
            sql("RESET session_replication_role")

    return write


def book(event, seats, **more):
    done = services.book(
        event_id=event.pk, user_id=UserFactory().pk, seats=seats, key=uuid4(), now=timezone.now(), **more
    )
    return Booking.objects.get(pk=done.pk)


def broken() -> set[str]:
    return {finding.what for invariant in BY_NAME.values() for finding in wrong(invariant.look())}


def finding_of(name: str):
    [finding] = BY_NAME[name].look()
    return finding


class TestInvariants:
    def test_hold_where_people_book_wait_and_cancel(self, event, booking):
        book(event, 8)
        book(event, 3, or_wait=True)
        services.cancel(booking_id=booking.pk, version=None, actor_id=None, now=timezone.now())
        assert broken() == set()

    def test_see_seats_left_that_are_not_and_reconciling_mends_them(self, event, booking, unguarded):
        unguarded("UPDATE events SET available_slots = 3 WHERE id = %s", event.pk)
        finding = finding_of("Seats left")
        assert str(event.pk) in finding.says
        assert finding.mend == f"Run `python manage.py reconcile_slots {event.pk}`."
        call_command("reconcile_slots", str(event.pk))
        assert broken() == set()

    def test_see_free_runs_of_a_seat_that_is_booked(self, event, booking, sql):
        sql("UPDATE event_free_runs SET first_seat = 1 WHERE event_id = %s", event.pk)
        assert broken() == {"Free runs", "Runs and seats"}
        call_command("reconcile_slots", str(event.pk))
        assert broken() == set()

    def test_see_free_runs_that_only_count_right_and_the_mend_mends_them(self, event, booking, sql):
        sql("UPDATE event_free_runs SET first_seat = 1, last_seat = 8 WHERE event_id = %s", event.pk)
        assert broken() == {"Runs and seats"}
        sql(finding_of("Runs and seats").mend.partition("; --")[0])
        assert broken() == set()
        assert book(event, 8).status == "confirmed"
        assert broken() == set()

    def test_see_a_seat_booked_twice_where_the_index_is_gone(self, event, booking, sql, unguarded):
        definition = sql("SELECT pg_get_indexdef('idx_booking_seats_unique'::regclass)")[0][0]
        other = book(event, 1)
        sql("DROP INDEX idx_booking_seats_unique")
        try:
            unguarded("UPDATE booking_seats SET seat_no = 1 WHERE booking_id = %s", other.pk)
            assert str(event.pk) in finding_of("Seats").says
        finally:
            unguarded("UPDATE booking_seats SET seat_no = 3 WHERE booking_id = %s", other.pk)
            sql(definition)
        assert broken() == set()

    def test_see_a_seat_beyond_the_house(self, event, booking, unguarded):
        unguarded("UPDATE booking_seats SET seat_no = 11 WHERE booking_id = %s AND seat_no = 2", booking.pk)
        assert broken() == {"House"}

    def test_see_a_booking_that_does_not_hold_its_seats(self, event, booking, unguarded):
        unguarded("UPDATE bookings SET seats = 5 WHERE id = %s", booking.pk)
        assert broken() == {"Parties"}
        assert str(booking.pk) in finding_of("Parties").says

    def test_see_totals_that_do_not_count_and_the_mend_mends_them(self, event, booking, sql, unguarded):
        unguarded("UPDATE event_totals SET confirmed_bookings = 7 WHERE event_id = %s", event.pk)
        assert broken() == {"Totals"}
        sql(finding_of("Totals").mend)
        assert broken() == set()

    def test_see_two_with_one_number_where_the_index_is_gone(self, event, booking, sql, unguarded):
        book(event, 8)
        first, second = book(event, 3, or_wait=True), book(event, 3, or_wait=True)
        definition = sql("SELECT pg_get_indexdef('nobody_shares_a_waiting_number'::regclass)")[0][0]
        sql("DROP INDEX nobody_shares_a_waiting_number")
        try:
            unguarded(
                "UPDATE bookings SET waiting_number = %s WHERE id = %s", first.waiting_number, second.pk
            )
            assert broken() == {"Line"}
        finally:
            unguarded(
                "UPDATE bookings SET waiting_number = %s WHERE id = %s", second.waiting_number, second.pk
            )
            sql(definition)

    def test_see_a_message_whose_state_and_moment_disagree(self, event, booking, sql):
        rules = [rule for rule in Notification._meta.constraints if isinstance(rule, CheckConstraint)]
        with connection.schema_editor() as editor:
            for rule in rules:
                editor.remove_constraint(Notification, rule)
        try:
            Notification.objects.update(status="delivered")
            assert broken() == {"Messages"}
            sql(finding_of("Messages").mend.partition("; --")[0])
            assert broken() == set()
        finally:
            Notification.objects.all().delete()
            with connection.schema_editor() as editor:
                for rule in rules:
                    editor.add_constraint(Notification, rule)


class TestWhatTheTimetableKeeps:
    def test_is_missed_where_events_have_begun_and_are_still_upcoming(self, event, sql):
        an_hour_ago = timezone.now() - timedelta(hours=1)
        Event.objects.filter(pk=event.pk).update(event_date=an_hour_ago, ends_at=None)
        assert broken() == {"Events"}
        call_command("advance_events")
        assert broken() == set()

    def test_is_missed_where_people_wait_after_booking_has_closed(self, event):
        book(event, 10)
        book(event, 1, or_wait=True)
        Event.objects.filter(pk=event.pk).update(booking_closes_at=timezone.now() - timedelta(minutes=10))
        assert broken() == {"Closed lines"}
        call_command("close_waitlists")
        assert broken() == set()

    def test_is_missed_where_nobody_cancels_the_bookings_of_a_cancelled_event(self, event, booking, sql):
        services.cancel_event(event_id=event.pk, reason="Storm", actor_id=None, now=timezone.now())
        EventJob.objects.all().delete()
        assert broken() == {"Cancelled"}
        sql(finding_of("Cancelled").mend)
        services.run_jobs(now=timezone.now() + timedelta(seconds=1))
        assert broken() == set()
        booking.refresh_from_db()
        assert booking.status == "cancelled"

    def test_is_missed_where_a_job_has_been_due_for_long(self, event):
        due = timezone.now() - timedelta(hours=1)
        EventJob.objects.owe(event, EventJob.Kind.SETTLE_QUEUE, due_at=due)
        assert broken() == {"Event jobs"}
