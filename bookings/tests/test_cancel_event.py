from datetime import timedelta
from importlib import import_module
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from bookings import services
from bookings.errors import Closed, EventCancelled, ReasonMissing
from bookings.models import Booking, BookingHistory, EventJob, FreeRun
from events.models import Event
from notifications.models import Notification
from tests.factories import EventFactory, UserFactory
from tests.truth import (
    assert_sound,
    assert_told_of_every_change,
    deeds_of,
    last_line_of,
    seats_of,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("as_the_application")]

module = import_module("bookings.services.cancel_event")


@pytest.fixture
def people(event, book):
    """Seven bookings of one seat, and two that wait."""
    booked = [book(event, 1) for _ in range(7)]
    return [*booked, book(event, 4, or_wait=True), book(event, 1, or_wait=True)]


def of_cancelling():
    return Notification.objects.filter(type="event_cancelled").order_by("id")


class TestCancelEvent:
    def test_is_one_short_transaction_that_leaves_the_rest_to_a_job(self, event, people, cancel_event, now):
        cancelled = cancel_event(event, reason=" The hall is flooded. ")
        assert (cancelled.status, cancelled.cancellation_reason) == ("cancelled", "The hall is flooded.")
        job = EventJob.objects.get(finished_at=None)
        assert (job.kind, job.due_at) == ("cancel_bookings", now)
        assert Booking.objects.active().filter(event=event).count() == 9
        assert not of_cancelling().exists()

    def test_lets_nothing_be_booked_or_promoted_from_that_commit_on(
        self, event, people, cancel_event, book, promote, modify, change_capacity, now
    ):
        cancel_event(event)
        with pytest.raises(EventCancelled):
            book(event, 1)
        with pytest.raises(EventCancelled):
            promote(people[8])
        with pytest.raises(EventCancelled):
            modify(people[0], 2)
        with pytest.raises(EventCancelled):
            change_capacity(event, 20)
        services.settle(event_id=event.pk, now=now)
        assert not Booking.objects.get(pk=people[8].pk).is_confirmed
        assert not Event.objects.get(pk=event.pk).is_bookable

    def test_a_second_time_changes_nothing(self, event, people, cancel_event, now):
        cancel_event(event)
        assert cancel_event(event, reason="Another one.").cancellation_reason == "The hall is flooded."
        assert EventJob.objects.count() == 1
        services.run_jobs(now=now)
        cancel_event(event)
        assert services.run_jobs(now=now) == 0

    def test_is_final(self, event, cancel_event):
        cancel_event(event)
        with pytest.raises(IntegrityError, match="final"), transaction.atomic():
            Event.objects.filter(pk=event.pk).update(status="upcoming")

    def test_counts_as_a_change_for_calendars(self, event, cancel_event):
        cancel_event(event)
        assert Event.objects.get(pk=event.pk).sequence == 1

    @pytest.mark.parametrize("reason", ["", " \n"])
    def test_needs_a_reason(self, event, cancel_event, reason):
        with pytest.raises(ReasonMissing):
            cancel_event(event, reason=reason)

    def test_needs_an_event_that_is_not_over(self, db, cancel_event, now):
        with pytest.raises(Closed):
            cancel_event(EventFactory(status="completed"))
        with pytest.raises(Event.DoesNotExist):
            services.cancel_event(event_id=uuid4(), reason="So.", actor_id=None, now=now)

    def test_can_be_done_after_booking_has_closed(self, event, people, cancel_event):
        cancel_event(event, now=event.event_date + timedelta(minutes=1))
        services.run_jobs(now=event.event_date + timedelta(minutes=1))
        assert not Booking.objects.active().exists()


class TestItsJob:
    @pytest.fixture
    def cancelled(self, event, people, cancel_event, monkeypatch):
        monkeypatch.setattr(module, "PAGE", 4)
        return cancel_event(event)

    def test_cancels_every_booking_and_frees_every_seat(self, cancelled, people, now):
        assert services.run_jobs(now=now) == 1
        assert {booking.status for booking in Booking.objects.all()} == {"cancelled"}
        assert [seats_of(booking) for booking in people] == [[]] * 9
        cancelled.refresh_from_db()
        assert (cancelled.available_slots, cancelled.is_bookable) == (10, False)
        assert_sound(cancelled.pk)

    def test_leaves_the_free_runs_right(self, cancelled, now):
        services.run_jobs(now=now)
        assert list(FreeRun.objects.values_list("first_seat", "last_seat")) == [(1, 10)]

    def test_writes_each_booking_s_last_line(self, cancelled, people, now):
        services.run_jobs(now=now)
        for booking in people:
            assert deeds_of(booking) == ["created", "cancelled"]
            assert last_line_of(booking)["reason"] == "event_cancelled"
        assert last_line_of(people[0])["gave_back"] == [1]

    def test_tells_each_person_once_with_the_reason_and_nothing_else(self, cancelled, people, now):
        services.run_jobs(now=now)
        assert [message.user_id for message in of_cancelling()] == [booking.user_id for booking in people]
        assert of_cancelling()[0].payload["reason"] == "The hall is flooded."
        assert of_cancelling()[0].payload["sequence"] == 1
        assert not Notification.objects.filter(type="booking_cancelled").exists()
        assert_told_of_every_change(cancelled.pk)

    def test_tells_a_person_with_two_bookings_once(self, event, book, cancel_event, now, monkeypatch):
        monkeypatch.setattr(module, "PAGE", 1)
        person = UserFactory()
        both = [book(event, 1, user=person), book(event, 2, user=person)]
        cancel_event(event)
        services.run_jobs(now=now)
        [message] = of_cancelling()
        assert [each["booking_id"] for each in message.bookings()] == [str(booking.pk) for booking in both]
        assert BookingHistory.objects.filter(action="cancelled").count() == 2

    def test_does_a_page_a_transaction(self, cancelled, now):
        job = EventJob.objects.get(finished_at=None)
        assert module.cancel_bookings(job=job, now=now)
        assert Booking.objects.active().count() == 5
        assert of_cancelling().count() == 4
        job.refresh_from_db()
        assert job.cursor == Booking.objects.filter(status="cancelled").order_by("-pk").first().pk

    def test_goes_on_where_it_was_killed_and_tells_nobody_twice(self, cancelled, people, now):
        job = EventJob.objects.get(finished_at=None)
        module.cancel_bookings(job=job, now=now)
        module.cancel_bookings(job=job, now=now)
        assert services.run_jobs(now=now + timedelta(hours=1)) == 1
        assert not Booking.objects.active().exists()
        assert of_cancelling().count() == 9
        assert_told_of_every_change(cancelled.pk)

    def test_rolls_a_page_back_whole_when_it_is_killed_within_one(self, cancelled, now, monkeypatch):
        job = EventJob.objects.get(finished_at=None)
        monkeypatch.setattr(EventJob, "save", _killed)
        with pytest.raises(KeyboardInterrupt):
            module.cancel_bookings(job=job, now=now)
        assert Booking.objects.active().count() == 9
        assert not of_cancelling().exists()
        monkeypatch.undo()
        services.run_jobs(now=now)
        assert_told_of_every_change(cancelled.pk)

    def test_does_nothing_more_once_it_is_finished(self, cancelled, now):
        job = EventJob.objects.get(finished_at=None)
        services.run_jobs(now=now)
        assert not module.cancel_bookings(job=job, now=now)
        assert of_cancelling().count() == 9

    def test_finishes_when_the_last_page_is_exactly_full(self, event, book, cancel_event, now, monkeypatch):
        monkeypatch.setattr(module, "PAGE", 2)
        for _ in range(4):
            book(event, 1)
        cancel_event(event)
        assert services.run_jobs(now=now) == 1
        assert not EventJob.objects.filter(finished_at=None).exists()
        assert_sound(event.pk)

    def test_finishes_for_an_event_without_bookings(self, event, cancel_event, now):
        cancel_event(event)
        assert services.run_jobs(now=now) == 1

    def test_takes_over_what_else_the_event_owed(self, event, people, reschedule, cancel_event, now):
        reschedule(event, place="The park")
        cancel_event(event)
        assert [job.kind for job in EventJob.objects.filter(finished_at=None)] == ["cancel_bookings"]


def test_a_cancelled_event_has_no_seats_for_a_newcomer_even_between_two_pages(
    event, people, cancel_event, book, now, monkeypatch
):
    monkeypatch.setattr(module, "PAGE", 4)
    cancel_event(event)
    module.cancel_bookings(job=EventJob.objects.get(finished_at=None), now=now)
    with pytest.raises(EventCancelled):
        book(event, 1)


def _killed(*args, **kwargs):
    raise KeyboardInterrupt
