"""Each question that is asked all day is answered by the index made for it.

Asked of tables of some thousand rows with statistics, nothing switched off: the planner is free to choose.
"""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from allauth.account.utils import filter_users_by_email
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from bookings import free_runs, waitlist
from bookings.models import Booking, BookingHistory, BookingSeat, EventJob
from events import listing
from events.listing import BY_START
from events.models import Event
from notifications import reconcile, states
from notifications.models import Notification
from orgs.models import Invite, Membership, Organization, User
from tests.schema.rows import Rows

FULL_HOUSE = Path(__file__).with_name("full_house.sql")


@pytest.fixture(scope="module")
def full(django_db_setup, django_db_blocker):
    """The tests' database with rows in it, undone after these tests."""
    with django_db_blocker.unblock(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(FULL_HOUSE.read_text())
        yield Rows(cursor)
        transaction.set_rollback(True)


@pytest.fixture
def waiting(full, db):
    """One of many bookings that wait."""
    return Booking.objects.waiting().first()


def indexes_of(asking) -> set[str]:
    """The indexes by which PostgreSQL answers a QuerySet, or what a function asks."""
    asked = []

    def listen(execute, sql, params, many, context):
        asked.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(listen):
        list(asking) if isinstance(asking, QuerySet) else asking()
    assert asked
    with connection.cursor() as cursor:
        return {index for question in asked for index in _indexes(_plan(cursor, *question))}


def _plan(cursor, sql, params):
    cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
    [[plan]] = cursor.fetchall()
    return json.loads(plan) if isinstance(plan, str) else plan


def _indexes(plan):
    if isinstance(plan, list):
        for part in plan:
            yield from _indexes(part)
    elif isinstance(plan, dict):
        if "Index Name" in plan:
            yield plan["Index Name"]
        for part in plan.values():
            yield from _indexes(part)


class TestTheListOfEvents:
    @pytest.fixture(autouse=True)
    def _full(self, full, db):
        pass

    def page(self, place=(), **chosen):
        """A page of the list as the view asks for it."""
        return BY_START.page(listing.listed(chosen, now=timezone.now()), place=dict(place))

    def test_begins_with_its_first_page(self):
        assert "idx_events_listed" in indexes_of(self.page)

    def test_goes_on_behind_a_page(self):
        later = {"after": self.page().later}
        assert "idx_events_listed" in indexes_of(lambda: self.page(later))

    def test_keeps_to_a_category(self):
        assert "idx_events_listed_by_category" in indexes_of(lambda: self.page(category="workshop"))

    def test_keeps_to_what_has_seats(self):
        assert "idx_events_listed_with_seats" in indexes_of(lambda: self.page(available=True))

    def test_keeps_to_an_organization(self):
        org = Organization.objects.first()
        assert "idx_events_org_id" in indexes_of(lambda: self.page(org=org))

    def test_finds_words(self):
        assert "idx_events_search" in indexes_of(lambda: self.page(q="word3000"))


class TestTheClock:
    @pytest.fixture(autouse=True)
    def _full(self, full, db):
        pass

    def test_finds_the_events_of_an_evening(self):
        now = timezone.now()
        evening = Event.objects.filter(event_date__range=(now, now + timedelta(hours=4)))
        assert indexes_of(evening) == {"idx_events_date_status"}

    def test_finds_work_that_is_due(self):
        assert indexes_of(EventJob.objects.due(at=timezone.now())) == {"idx_event_jobs_open"}

    def test_finds_invites_that_have_run_out(self):
        run_out = Invite.objects.filter(status="pending", expires_at__lte=timezone.now())
        assert indexes_of(run_out) == {"idx_invites_pending"}


class TestABooking:
    def test_is_found_among_its_event_s_by_status(self, waiting):
        page = Booking.objects.confirmed().filter(event_id=waiting.event_id).order_by("pk")[:100]
        assert indexes_of(page) == {"idx_bookings_event_id"}

    def test_is_found_by_its_form(self, waiting):
        mine = Booking.objects.filter(
            event_id=waiting.event_id, user_id=waiting.user_id, idempotency_key=waiting.idempotency_key
        )
        assert indexes_of(mine) == {"a_form_books_once"}

    def test_has_its_seats(self, waiting):
        seats = BookingSeat.objects.booked().filter(booking_id=waiting.pk)
        assert indexes_of(seats) == {"idx_booking_seats_booking_id"}

    def test_has_its_history(self, waiting):
        assert indexes_of(BookingHistory.objects.of_booking(waiting.pk)) == {"idx_booking_history_booking_id"}

    def test_has_its_event_s_history(self, waiting):
        newest = BookingHistory.objects.filter(event_id=waiting.event_id).order_by("-created_at")[:20]
        assert indexes_of(newest) == {"idx_booking_history_event_id"}


class TestTheLine:
    @pytest.mark.parametrize("rule", ["strict", "fill"])
    def test_is_asked_who_is_next(self, waiting, rule):
        event = Event(pk=waiting.event_id, queue_rule=rule, total_slots=100)
        assert indexes_of(lambda: waitlist.line(event, free=3)) == {"idx_bookings_waiting_parties"}

    def test_begins_with_the_lowest_number(self, waiting):
        line = Booking.objects.waiting().filter(event_id=waiting.event_id).order_by("waiting_number")
        assert indexes_of(line[:1]) == {"nobody_shares_a_waiting_number"}

    def test_is_counted_up_to_a_place(self, waiting):
        assert indexes_of(lambda: waitlist.place_in_line(waiting)) == {"nobody_shares_a_waiting_number"}

    def test_tells_who_was_passed_by_whom(self, waiting):
        since = timezone.now() - timedelta(days=30)
        passing = BookingHistory.objects.passing(
            event_id=waiting.event_id, number=waiting.waiting_number, since=since
        )
        assert indexes_of(passing) == {"idx_booking_history_passing"}


class TestTheHouse:
    def test_knows_what_is_taken_in_a_row(self, waiting):
        large = Event.objects.get(total_slots=5000)
        taken = BookingSeat.objects.booked().filter(event_id=large.pk, seat_no__range=(1000, 1040))
        assert indexes_of(taken) == {"idx_booking_seats_unique"}

    def test_finds_a_run_for_a_party(self, waiting):
        asked = indexes_of(lambda: free_runs.for_parties(waiting.event_id, [3]))
        assert asked == {"idx_event_free_runs_length"}

    def test_finds_the_lowest_runs(self, waiting):
        assert indexes_of(lambda: free_runs.lowest(waiting.event_id, 3)) == {"event_free_runs_pkey"}

    def test_finds_the_runs_around_seats(self, waiting):
        assert indexes_of(lambda: free_runs.around(waiting.event_id, [5, 6])) == {"event_free_runs_pkey"}


class TestAPerson:
    def test_sees_their_bookings(self, waiting):
        mine = Booking.objects.held_by(waiting.user_id).order_by("-created_at", "-id")[:25]
        assert indexes_of(mine) == {"idx_bookings_user_id"}

    def test_sees_their_inbox(self, waiting):
        inbox = Notification.objects.inbox_of(waiting.user_id)[:25]
        assert indexes_of(inbox) == {"idx_notifications_inbox"}

    def test_sees_how_much_is_unread(self, waiting):
        unread = Notification.objects.filter(user_id=waiting.user_id).unread()
        assert indexes_of(unread.count) == {"idx_notifications_unread"}

    def test_is_a_member(self, waiting):
        person = User.objects.filter(memberships__status="active").first()
        org = Organization.objects.filter(memberships__user=person).get()
        member = Membership.objects.active().filter(organization=org, user=person)
        assert len(indexes_of(member)) == 1

    def test_is_found_by_email_however_it_is_written(self, full, db):
        by_email = indexes_of(lambda: User.objects.get_by_natural_key("Person-17@example.test"))
        assert by_email == {"users_have_distinct_emails"}

    def test_is_found_when_they_sign_in(self, full, db):
        by_email = indexes_of(lambda: filter_users_by_email("Person-17@example.test"))
        assert "idx_users_email" in by_email


class TestAnOrganization:
    def test_sees_its_active_members(self, full, db):
        members = Membership.objects.active().filter(organization=Organization.objects.first())
        assert indexes_of(members) == {"idx_organization_users_active"}

    def test_is_found_by_host(self, full, db):
        by_domain = Organization.objects.filter(domain="org-17.example.test")
        by_name = Organization.objects.filter(slug="org-17")
        assert indexes_of(by_domain) == {"organizations_have_distinct_domains"}
        assert indexes_of(by_name) == {"organizations_have_distinct_slugs"}


class TestTheOutbox:
    @pytest.fixture(autouse=True)
    def _full(self, full, db):
        pass

    def test_finds_what_is_due(self):
        now = timezone.now()
        for in_bulk in (False, True):
            claimed = indexes_of(lambda lane=in_bulk: states.claim(in_bulk=lane, most=100, now=now))
            assert "idx_notifications_pending" in claimed
        assert indexes_of(lambda: states.is_anything_due(now=now, since=now - timedelta(minutes=1))) == {
            "idx_notifications_pending"
        }

    def test_finds_what_was_sent_and_not_delivered(self):
        lost = Notification.objects.filter(status="sent", sent_at__lt=timezone.now() - timedelta(minutes=5))
        assert indexes_of(lost) == {"idx_notifications_sent"}
        assert indexes_of(reconcile._passed_by) == {"idx_notifications_sent"}

    def test_finds_what_people_were_told_of_an_event(self):
        some = Notification.objects.exclude(event_id=None).values_list("event_id", "user_id")[:50]
        event, people = some[0][0], [person for _, person in some]
        told = Notification.objects.filter(event_id=event, user_id__in=people, type="event_updated")
        assert indexes_of(told) == {"idx_notifications_event_user"}

    def test_knows_what_was_told_already(self):
        told = Notification.objects.filter(dedupe_key="booking:1")
        assert indexes_of(told) == {"nobody_is_told_the_same_thing_twice"}


class TestAfterManyYears:
    """Last, because statistics of a table's size outlive the transaction in which they were made."""

    @pytest.fixture(autouse=True)
    def _long_ago(self, full, db):
        with connection.cursor() as cursor:
            cursor.execute(
                """
                INSERT INTO events (title, category, event_date, total_slots, status, published_at)
                SELECT 'Long ago ' || n, 'concert', now() - n * interval '1 hour', 100, 'completed', now()
                FROM generate_series(1, 20000) AS n;
                ANALYZE events
                """
            )

    def test_finds_events_that_have_begun(self):
        begun = Event.objects.filter(status="upcoming", event_date__lte=timezone.now())
        assert indexes_of(begun) == {"idx_events_status"}
