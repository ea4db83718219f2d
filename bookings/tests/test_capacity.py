from uuid import uuid4

import pytest

from bookings import services
from bookings.errors import CapacityTaken, Closed, EventCancelled, NoCapacity, PlanTooSmall
from bookings.models import Booking
from events.models import Event
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


class TestRaising:
    def test_adds_seats_at_the_end(self, event, book, change_capacity):
        book(event, 10)
        assert change_capacity(event, 12).total_slots == 12
        event.refresh_from_db()
        assert event.available_slots == 2
        assert seats_of(book(event, 2)) == [11, 12]
        assert_sound(event.pk)

    def test_promotes_those_who_wait_in_the_same_transaction(self, event, book, change_capacity):
        book(event, 9)
        waiting = [book(event, seats, or_wait=True) for seats in (3, 1, 2)]
        change_capacity(event, 13)
        assert [seats_of(party) for party in waiting] == [[10, 11, 12], [13], []]
        assert_sound(event.pk)
        assert_told_of_every_change(event.pk)

    def test_goes_no_further_than_the_seating_plan(self, book, change_capacity):
        hall = EventFactory(with_layout=True, total_slots=8)
        with pytest.raises(PlanTooSmall) as refused:
            change_capacity(hall, 11)
        assert refused.value.seats == 10
        change_capacity(hall, 10)
        assert seats_of(book(hall, 4)) == [7, 8, 9, 10]
        assert_sound(hall.pk)


class TestLowering:
    def test_takes_free_seats_away_from_the_end(self, event, book, change_capacity):
        book(event, 4)
        change_capacity(event, 6)
        event.refresh_from_db()
        assert event.available_slots == 2
        assert seats_of(book(event, 2)) == [5, 6]
        assert_sound(event.pk)

    def test_may_leave_none_free(self, event, book, change_capacity):
        book(event, 4)
        change_capacity(event, 4)
        event.refresh_from_db()
        assert (event.available_slots, event.is_bookable) == (0, False)
        assert_sound(event.pk)

    def test_below_the_seats_booked_is_refused_with_their_number(self, event, book, change_capacity):
        book(event, 7)
        for move_people in (False, True):
            with pytest.raises(CapacityTaken, match="7 seats are booked") as refused:
                change_capacity(event, 6, move_people=move_people)
            assert (refused.value.booked, refused.value.movable) == (7, False)
        assert Event.objects.get(pk=event.pk).total_slots == 10

    def test_below_the_highest_booked_seat_is_refused_and_offers_to_move_people(
        self, event, book, change_capacity
    ):
        book(event, seat_nos=[9])
        with pytest.raises(CapacityTaken, match="Seat 9 is booked") as refused:
            change_capacity(event, 8)
        assert (refused.value.highest, refused.value.movable) == (9, True)
        assert_sound(event.pk)

    def test_cuts_a_row_of_the_plan_short(self, book, change_capacity):
        hall = EventFactory(with_layout=True)
        change_capacity(hall, 8)
        assert seats_of(book(hall, 3)) == [1, 2, 3]
        assert seats_of(book(hall, 3)) == [4, 5, 6]
        assert seats_of(book(hall, 2)) == [7, 8]
        assert_sound(hall.pk)


class TestMovingPeople:
    def test_puts_them_side_by_side_where_that_can_be(self, event, book, change_capacity):
        book(event, seat_nos=[2])
        booking = book(event, seat_nos=[8, 9])
        change_capacity(event, 5, move_people=True)
        assert seats_of(booking) == [3, 4]
        assert_sound(event.pk)

    def test_scatters_them_where_it_cannot(self, event, book, change_capacity):
        book(event, seat_nos=[2, 4])
        booking = book(event, seat_nos=[8, 9, 10])
        change_capacity(event, 5, move_people=True)
        assert seats_of(booking) == [1, 3, 5]
        assert_sound(event.pk)

    def test_never_puts_them_across_an_aisle(self, book, change_capacity):
        hall = EventFactory(with_layout=True)
        book(hall, seat_nos=[1])
        pair, three = book(hall, seat_nos=[9, 10]), book(hall, seat_nos=[7, 8])
        change_capacity(hall, 6, move_people=True)
        assert sorted([seats_of(pair), seats_of(three)]) == [[2, 3], [4, 5]]
        assert_sound(hall.pk)

    def test_leaves_those_who_sit_low_enough_where_they_are(self, event, book, change_capacity):
        stays, moves = book(event, seat_nos=[3]), book(event, seat_nos=[1, 10])
        change_capacity(event, 4, move_people=True)
        assert (seats_of(stays), seats_of(moves)) == ([3], [1, 2])
        assert deeds_of(stays) == ["created"]

    def test_fills_the_house_to_the_last_seat(self, event, book, change_capacity):
        bookings = [book(event, seat_nos=seats) for seats in ([1, 10], [3, 9], [5, 8])]
        change_capacity(event, 6, move_people=True)
        assert sorted(seat for booking in bookings for seat in seats_of(booking)) == [1, 2, 3, 4, 5, 6]
        assert_sound(event.pk)

    def test_tells_each_of_them_once_what_changed(self, event, book, change_capacity):
        booking = book(event, seat_nos=[1, 9, 10])
        change_capacity(event, 5, move_people=True)
        booking.refresh_from_db()
        assert (booking.seats, booking.version) == (3, 2)
        assert deeds_of(booking) == ["created", "modified"]
        facts = last_line_of(booking)
        assert (facts["by"], facts["because"]) == ("organizer", "capacity")
        assert (facts["gave_back"], facts["took"], facts["seat_nos"]) == ([9, 10], [2, 3], [1, 2, 3])
        assert messages_about(booking) == ["booking_confirmed", "booking_confirmed"]
        assert last_message_about(booking)["seat_labels"] == ["1", "2", "3"]
        assert_told_of_every_change(event.pk)

    def test_is_not_done_unless_it_has_to_be(self, event, book, change_capacity):
        booking = book(event, seat_nos=[4])
        change_capacity(event, 5, move_people=True)
        assert (seats_of(booking), deeds_of(booking)) == ([4], ["created"])


class TestPartiesThatAreTooLargeNow:
    @pytest.fixture
    def line(self, event, book):
        """Of ten seats six are booked and four free; a party of seven holds up one of two."""
        book(event, 6)
        return [book(event, 7, or_wait=True), book(event, 2, or_wait=True)]

    def test_hold_nobody_up_any_more(self, book, change_capacity):
        event = EventFactory(total_slots=20)
        book(event, 8)
        book(event, 13, or_wait=True)
        behind = book(event, 2, or_wait=True)
        change_capacity(event, 13)
        assert behind.is_waiting
        change_capacity(event, 12)
        assert seats_of(behind) == [9, 10]
        assert_sound(event.pk)

    def test_keep_their_place_and_are_told(self, event, line, change_capacity):
        change_capacity(event, 6)
        large = line[0]
        assert deeds_of(large) == ["created", "modified"]
        assert messages_about(large) == ["booking_waitlisted", "booking_waitlisted"]
        assert last_message_about(large)["change"] == {"capacity": 6}
        assert last_line_of(large)["waiting_number"] == 1
        assert_sound(event.pk)
        assert_told_of_every_change(event.pk)

    def test_are_not_told_again_while_the_house_stays_too_small_for_them(self, book, change_capacity):
        event = EventFactory(total_slots=20)
        book(event, 3)
        large = book(event, 18, or_wait=True)
        for seats in (10, 8, 12):
            change_capacity(event, seats)
        assert messages_about(large) == ["booking_waitlisted"] * 2
        change_capacity(event, 18)
        change_capacity(event, 12)
        assert messages_about(large) == ["booking_waitlisted"] * 3
        assert_sound(event.pk)
        assert_told_of_every_change(event.pk)

    def test_are_promoted_when_the_house_has_grown_again(self, event, line, change_capacity):
        change_capacity(event, 6)
        change_capacity(event, 13)
        assert seats_of(line[0]) == [7, 8, 9, 10, 11, 12, 13]
        assert_sound(event.pk)

    def test_are_passed_by_who_fits(self, event, line, change_capacity, cancel):
        change_capacity(event, 6)
        cancel(Booking.objects.confirmed().get(event=event))
        assert len(seats_of(line[1])) == 2
        assert line_of(event.pk) == [(1, 7)]


class TestChangeCapacity:
    def test_to_the_same_number_changes_nothing(self, event, change_capacity):
        change_capacity(event, 10)
        assert Event.objects.get(pk=event.pk).version == event.version

    def test_needs_at_least_one_seat(self, event, change_capacity):
        with pytest.raises(NoCapacity):
            change_capacity(event, 0)

    def test_needs_an_event_that_goes_ahead(self, event, change_capacity, cancel_event):
        over = EventFactory(status="completed")
        with pytest.raises(Closed):
            change_capacity(over, 5)
        cancel_event(event)
        with pytest.raises(EventCancelled):
            change_capacity(event, 5)

    def test_needs_an_event(self, db, now):
        with pytest.raises(Event.DoesNotExist):
            services.change_capacity(event_id=uuid4(), total_slots=5, actor_id=None, now=now)
