from datetime import timedelta
from uuid import uuid4

import pytest

from bookings.errors import (
    Closed,
    EventCancelled,
    KeyUsedDifferently,
    NoSuchSeat,
    NotBookable,
    NotEnoughSeats,
    NothingLeft,
    NotOpenYet,
    OthersAreWaiting,
    OwnLimit,
    PartyTooLarge,
    SeatNamedTwice,
    SeatsTaken,
)
from bookings.models import Booking, BookingHistory
from events.models import Event
from notifications.models import Notification
from tests.factories import EventFactory, OrganizationFactory, UserFactory
from tests.truth import assert_sound, assert_told_of_every_change, seats_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("as_the_application")]


class TestBook:
    def test_gives_the_lowest_seats_side_by_side(self, event, book):
        assert seats_of(book(event, 3)) == [1, 2, 3]
        assert seats_of(book(event, 2)) == [4, 5]
        assert_sound(event.pk)

    def test_gives_exactly_the_seats_that_were_named(self, event, book):
        assert seats_of(book(event, seat_nos=[7, 3])) == [3, 7]
        assert_sound(event.pk)

    def test_fills_the_first_gap_that_holds_the_whole_party(self, event, book, cancel):
        single, pair = book(event, 1), book(event, 2)
        book(event, 1)
        cancel(single)
        cancel(pair)
        assert seats_of(book(event, 3)) == [1, 2, 3]

    def test_scatters_a_party_only_where_it_fits_nowhere_together(self, event, book):
        book(event, seat_nos=[2, 4, 6, 8, 10])
        assert seats_of(book(event, 2)) == [1, 3]
        assert_sound(event.pk)

    def test_never_seats_a_party_across_an_aisle_or_the_end_of_a_row(self, book):
        hall = EventFactory(with_layout=True)  # A: 1-3 | 4-6, B: 7-10
        assert seats_of(book(hall, 2)) == [1, 2]
        assert seats_of(book(hall, 2)) == [4, 5]
        assert seats_of(book(hall, 4)) == [7, 8, 9, 10]
        assert_sound(hall.pk)

    def test_leaves_one_line_of_history_and_one_message(self, event, book):
        booking = book(event, 2)
        line = BookingHistory.objects.get(booking_id=booking.pk)
        assert (line.action, line.event_id, line.org_id) == ("created", event.pk, event.org_id)
        assert line.details["seat_nos"] == [1, 2]
        message = Notification.objects.get(booking_id=booking.pk)
        assert (message.type, message.status, message.user_id) == (
            "booking_confirmed",
            "pending",
            booking.user_id,
        )
        assert message.payload["title"] == event.title
        assert_told_of_every_change(event.pk)

    def test_keeps_names_and_addresses_out_of_history_and_messages(self, event, book):
        person = UserFactory(name="Marianne Musterfrau", email="marianne@example.test")
        booking = book(event, 2, user=person)
        told = str(BookingHistory.objects.get(booking_id=booking.pk).details)
        told += str(Notification.objects.get(booking_id=booking.pk).payload)
        assert "marianne" not in told.lower()

    def test_lets_a_person_book_several_times(self, event, book):
        person = UserFactory()
        book(event, 2, user=person)
        book(event, 3, user=person)
        assert Booking.objects.confirmed().filter(user=person).count() == 2

    def test_makes_the_free_runs_anew_when_they_call_a_booked_seat_free(self, event, book):
        first = book(event, 2)
        Event.objects.get(pk=event.pk)
        from bookings.models import FreeRun

        FreeRun.objects.filter(event=event).delete()
        FreeRun.objects.create(event=event, first_seat=1, last_seat=10)
        assert seats_of(first) == [1, 2]
        assert seats_of(book(event, 2)) == [3, 4]
        assert_sound(event.pk)

    def test_makes_the_free_runs_anew_when_they_hide_free_seats(self, event, book):
        from bookings.models import FreeRun

        book(event, 2)
        FreeRun.objects.filter(event=event).delete()
        assert seats_of(book(event, 8)) == [3, 4, 5, 6, 7, 8, 9, 10]
        assert_sound(event.pk)


class TestBookRefuses:
    @pytest.mark.parametrize("seats", [0, -1, None])
    def test_a_booking_of_no_seats(self, event, book, seats):
        with pytest.raises(NothingLeft):
            book(event, seats)

    def test_more_seats_than_one_booking_may_hold(self, book):
        event = EventFactory(total_slots=100, max_seats_per_booking=4)
        with pytest.raises(PartyTooLarge) as refused:
            book(event, 5)
        assert refused.value.largest == 4

    def test_a_party_larger_than_the_house_even_to_wait(self, event, book):
        with pytest.raises(PartyTooLarge):
            book(event, 11, or_wait=True)

    def test_a_seat_that_does_not_exist(self, event, book):
        for seat in (0, 11, -3):
            with pytest.raises(NoSuchSeat):
                book(event, seat_nos=[1, seat])

    def test_a_seat_named_twice(self, event, book):
        with pytest.raises(SeatNamedTwice):
            book(event, seat_nos=[4, 4])

    def test_named_seats_of_which_one_is_taken_and_takes_none(self, event, book):
        book(event, seat_nos=[4])
        with pytest.raises(SeatsTaken) as refused:
            book(event, seat_nos=[3, 4, 5])
        assert refused.value.seat_nos == [4]
        event.refresh_from_db()
        assert event.available_slots == 9
        assert_sound(event.pk)

    def test_more_than_is_left_without_consent_to_wait_and_offers_what_there_is(self, event, book):
        book(event, 8)
        with pytest.raises(NotEnoughSeats) as refused:
            book(event, 3)
        assert (refused.value.free, refused.value.waitlist) == (2, True)
        assert Booking.objects.count() == 1

    def test_more_than_is_left_where_there_is_no_waitlist(self, book):
        event = EventFactory(total_slots=2, waitlist=False)
        with pytest.raises(NotEnoughSeats) as refused:
            book(event, 3 - 1, or_wait=True) and book(event, 1, or_wait=True)
        assert refused.value.waitlist is False

    def test_more_seats_than_a_person_may_hold_waiting_ones_counted(self, book):
        event = EventFactory(total_slots=4, max_seats_per_person=5)
        person = UserFactory()
        book(event, 3, user=person)
        book(event, 2, user=person, or_wait=True)
        with pytest.raises(OwnLimit) as refused:
            book(event, 1, user=person)
        assert (refused.value.limit, refused.value.held) == (5, 5)

    def test_before_booking_opens(self, book, now):
        event = EventFactory(booking_opens_at=now + timedelta(seconds=1))
        with pytest.raises(NotOpenYet):
            book(event, 1)
        book(event, 1, now=now + timedelta(seconds=1))

    def test_when_the_event_has_begun_whatever_its_status_says(self, event, book):
        with pytest.raises(Closed):
            book(event, 1, now=event.event_date)
        book(event, 1, now=event.event_date - timedelta(microseconds=1))

    def test_from_the_moment_that_booking_closes(self, book, now):
        event = EventFactory(booking_closes_at=now + timedelta(hours=1))
        with pytest.raises(Closed):
            book(event, 1, now=now + timedelta(hours=1))

    def test_a_draft(self, book):
        with pytest.raises(NotBookable):
            book(EventFactory(draft=True), 1)

    def test_an_event_of_a_suspended_organization_or_of_none(self, book):
        with pytest.raises(NotBookable):
            book(EventFactory(org=OrganizationFactory(status="suspended")), 1)
        with pytest.raises(NotBookable):
            book(EventFactory(org=None), 1)

    def test_a_cancelled_event(self, event, book):
        Event.objects.filter(pk=event.pk).update(status="cancelled")
        with pytest.raises(EventCancelled):
            book(event, 1)

    def test_an_event_that_is_not_there(self, event, book):
        event.pk = uuid4()
        with pytest.raises(Event.DoesNotExist):
            book(event, 1)


class TestTheSameForm:
    def test_gives_the_first_answer_again(self, event, book):
        person, key = UserFactory(), uuid4()
        first = book(event, 2, user=person, key=key)
        assert book(event, 2, user=person, key=key) == first
        assert Booking.objects.count() == 1
        assert_told_of_every_change(event.pk)

    def test_gives_it_even_when_booking_has_closed_since(self, event, book):
        person, key = UserFactory(), uuid4()
        first = book(event, 2, user=person, key=key)
        assert book(event, 2, user=person, key=key, now=event.event_date) == first

    def test_gives_it_for_the_last_seat(self, book):
        event, person, key = EventFactory(total_slots=1), UserFactory(), uuid4()
        assert book(event, 1, user=person, key=key) == book(event, 1, user=person, key=key)

    def test_with_other_choices_is_refused(self, event, book):
        person, key = UserFactory(), uuid4()
        book(event, 2, user=person, key=key)
        with pytest.raises(KeyUsedDifferently):
            book(event, 3, user=person, key=key)
        with pytest.raises(KeyUsedDifferently):
            book(event, seat_nos=[1, 2], user=person, key=key)

    def test_of_somebody_else_is_another_booking(self, event, book):
        key = uuid4()
        assert book(event, 1, key=key) != book(event, 1, key=key)

    def test_is_not_remembered_when_it_was_refused(self, event, book, cancel):
        person, key = UserFactory(), uuid4()
        all_seats = book(event, 10)
        with pytest.raises(NotEnoughSeats):
            book(event, 1, user=person, key=key)
        cancel(all_seats)
        assert book(event, 1, user=person, key=key).is_confirmed


class TestStandingInLine:
    def test_begins_when_the_party_does_not_fit(self, event, book):
        book(event, 9)
        waiting = book(event, 2, or_wait=True)
        assert (waiting.is_waiting, waiting.waiting_number) == (True, 1)
        assert Notification.objects.get(booking_id=waiting.pk).type == "booking_waitlisted"
        assert_sound(event.pk)

    def test_gives_each_the_next_number(self, event, book):
        book(event, 10)
        assert [book(event, 1, or_wait=True).waiting_number for _ in range(3)] == [1, 2, 3]

    def test_keeps_a_newcomer_behind_under_the_strict_rule_even_if_they_would_fit(self, event, book):
        book(event, 9)
        book(event, 2, or_wait=True)
        with pytest.raises(NotEnoughSeats) as refused:
            book(event, 1)
        assert refused.value.free == 0
        assert book(event, 1, or_wait=True).waiting_number == 2

    def test_lets_a_newcomer_that_fits_pass_under_the_fill_rule_and_says_so(self, book):
        event = EventFactory(total_slots=10, queue_rule="fill")
        book(event, 9)
        waiting = book(event, 2, or_wait=True)
        newcomer = book(event, 1, or_wait=True)
        assert newcomer.is_confirmed
        passed_by = BookingHistory.objects.passing(
            event_id=event.pk, number=waiting.waiting_number, since=waiting.created_at
        )
        assert [line.booking_id for line in passed_by] == [newcomer.pk]
        assert passed_by[0].details["stood_at"] == 2

    def test_lets_nobody_pick_seats_past_the_line(self, event, book):
        book(event, seat_nos=[1, 2, 3, 4, 5, 6, 7, 8, 9])
        book(event, 2, or_wait=True)
        with pytest.raises(OthersAreWaiting):
            book(event, seat_nos=[10])

    def test_never_happens_to_named_seats(self, event, book):
        book(event, seat_nos=[1])
        with pytest.raises(SeatsTaken):
            book(event, seat_nos=[1, 2], or_wait=True)
