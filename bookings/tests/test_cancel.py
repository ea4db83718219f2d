from datetime import timedelta
from uuid import uuid4

import pytest

from bookings import free_runs, services
from bookings.errors import Closed, EventCancelled, NotEnoughSeats, OutOfDate
from bookings.models import Booking, FreeRun
from orgs.models import Organization
from tests.factories import EventFactory
from tests.truth import (
    assert_sound,
    assert_told_of_every_change,
    deeds_of,
    last_line_of,
    last_message_about,
    line_of,
    messages_about,
    seats_of,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("as_the_application")]


class TestCancel:
    def test_gives_every_seat_back(self, event, book, cancel):
        booking = book(event, 4)
        assert cancel(booking).is_cancelled
        event.refresh_from_db()
        assert (event.available_slots, seats_of(booking)) == (10, [])
        assert_sound(event.pk)

    def test_leaves_one_line_of_history_and_one_message(self, event, book, cancel):
        booking = book(event, 2)
        cancel(booking)
        line = last_line_of(booking)
        assert (line["reason"], line["by"], line["gave_back"]) == ("person", "person", [1, 2])
        assert messages_about(booking) == ["booking_confirmed", "booking_cancelled"]
        assert last_message_about(booking)["seat_labels"] == ["1", "2"]
        assert_told_of_every_change(event.pk)

    def test_says_that_it_was_the_organizer_when_it_was_somebody_else(self, event, book, now, organizer):
        booking = book(event, 2)
        services.cancel(booking_id=booking.pk, actor_id=organizer.pk, now=now)
        assert last_line_of(booking)["by"] == "organizer"

    def test_a_second_time_changes_nothing_whatever_version_is_named(self, event, book, cancel, later):
        booking = book(event, 2)
        cancel(booking, version=1)
        assert cancel(booking, version=1).is_cancelled
        assert cancel(booking, now=event.event_date).is_cancelled
        assert deeds_of(booking) == ["created", "cancelled"]

    def test_gives_up_a_place_in_line(self, event, book, cancel):
        book(event, 10)
        first, _ = book(event, 2, or_wait=True), book(event, 1, or_wait=True)
        cancel(first)
        first.refresh_from_db()
        assert (first.waiting_number, line_of(event.pk)) == (None, [(2, 1)])
        assert_sound(event.pk)

    def test_of_a_party_that_held_the_line_up_lets_those_behind_in(self, event, book, cancel):
        book(event, 9)
        first, second = book(event, 2, or_wait=True), book(event, 1, or_wait=True)
        cancel(first)
        second.refresh_from_db()
        assert (second.status, seats_of(second)) == ("confirmed", [10])

    def test_gives_the_seats_to_the_line_and_not_to_a_newcomer(self, event, book, cancel):
        all_seats = book(event, 10)
        waiting = book(event, 10, or_wait=True)
        cancel(all_seats)
        with pytest.raises(NotEnoughSeats):
            book(event, 1)
        assert seats_of(waiting) == list(range(1, 11))
        assert messages_about(waiting) == ["booking_waitlisted", "waitlist_promoted"]
        assert_sound(event.pk)

    def test_lets_people_out_of_an_event_whose_organization_is_suspended(self, event, book, cancel):
        booking = book(event, 2)
        Organization.objects.filter(pk=event.org_id).update(status="suspended")
        assert cancel(booking).is_cancelled

    def test_makes_the_free_runs_anew_when_they_offer_the_line_a_booked_seat(self, event, book, cancel):
        booking, _ = book(event, seat_nos=[9, 10]), book(event, 8)
        waiting = book(event, 2, or_wait=True)
        FreeRun.objects.create(event=event, first_seat=1, last_seat=3)
        cancel(booking)
        assert seats_of(waiting) == [9, 10]
        assert_sound(event.pk)


class TestCancelRefuses:
    def test_a_version_that_is_not_the_booking_s_and_shows_the_booking_as_it_is(
        self, event, book, modify, cancel
    ):
        booking = book(event, 2)
        modify(booking, 3)
        with pytest.raises(OutOfDate) as refused:
            cancel(booking, version=1)
        assert refused.value.booking.seats == 3
        assert seats_of(booking) == [1, 2, 3]

    def test_from_the_moment_that_booking_closes(self, event, book, cancel):
        booking = book(event, 2)
        with pytest.raises(Closed):
            cancel(booking, now=event.event_date)
        cancel(booking, now=event.event_date - timedelta(microseconds=1))

    def test_a_booking_of_a_cancelled_event_which_its_job_will_end(self, event, book, cancel, cancel_event):
        booking = book(event, 2)
        cancel_event(event)
        with pytest.raises(EventCancelled):
            cancel(booking)
        assert deeds_of(booking) == ["created"]

    def test_a_booking_that_is_not_there(self, db, now):
        with pytest.raises(Booking.DoesNotExist):
            services.cancel(booking_id=uuid4(), actor_id=None, now=now)


class TestGivingBackAndTakingAgain:
    def test_joins_the_freed_seats_to_the_runs_beside_them(self, event, book, cancel):
        bookings = [book(event, 2) for _ in range(5)]
        for booking in (bookings[0], bookings[4], bookings[2], bookings[1]):
            cancel(booking)
        assert _runs(event) == [(1, 6), (9, 10)]
        cancel(bookings[3])
        assert _runs(event) == [(1, 10)]

    def test_never_joins_them_over_an_aisle_or_the_end_of_a_row(self, book, cancel):
        hall = EventFactory(with_layout=True)
        cancel(book(hall, 10))
        assert _runs(hall) == [(1, 3), (4, 6), (7, 10)]
        assert _runs(hall) == list(free_runs.true_runs(hall))


def _runs(event):
    return list(
        FreeRun.objects.filter(event=event).order_by("last_seat").values_list("first_seat", "last_seat")
    )
