from datetime import timedelta
from uuid import uuid4

import pytest

from bookings import services
from bookings.errors import (
    AlreadyCancelled,
    Closed,
    EventCancelled,
    NoSuchSeat,
    NotBookable,
    NotEnoughSeats,
    NothingLeft,
    OthersAreWaiting,
    OutOfDate,
    OwnLimit,
    PartyTooLarge,
    SeatNamedTwice,
    SeatsTaken,
)
from bookings.models import Booking, BookingHistory
from events.models import Event
from orgs.models import Organization
from tests.factories import EventFactory, UserFactory
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


@pytest.fixture
def fill_event(db):
    return EventFactory(total_slots=10, queue_rule="fill")


class TestModifyConfirmed:
    def test_gives_back_the_highest_seats_when_there_are_to_be_fewer(self, event, book, modify):
        booking = book(event, seat_nos=[2, 5, 9])
        modify(booking, 1)
        assert seats_of(booking) == [2]
        assert_sound(event.pk)

    def test_gives_back_the_seats_that_are_not_named_any_more(self, event, book, modify):
        booking = book(event, seat_nos=[2, 5, 9])
        modify(booking, seat_nos=[9, 5])
        assert seats_of(booking) == [5, 9]
        assert_sound(event.pk)

    def test_swaps_seats_for_other_free_ones(self, event, book, modify):
        booking = book(event, seat_nos=[1, 2, 3])
        modify(booking, seat_nos=[3, 7, 8])
        assert seats_of(booking) == [3, 7, 8]
        line = last_line_of(booking)
        assert (line["gave_back"], line["took"], line["was"], line["seats"]) == ([1, 2], [7, 8], 3, 3)
        assert_sound(event.pk)

    def test_swaps_whoever_waits(self, event, book, modify):
        booking = book(event, seat_nos=[1])
        book(event, 8)
        book(event, 2, or_wait=True)
        modify(booking, seat_nos=[10])
        assert (seats_of(booking), line_of(event.pk)) == ([10], [(1, 2)])
        assert_sound(event.pk)

    def test_swaps_within_a_full_house_never(self, event, book, modify):
        booking, _ = book(event, seat_nos=[1]), book(event, 9)
        with pytest.raises(SeatsTaken) as refused:
            modify(booking, seat_nos=[4])
        assert refused.value.seat_nos == [4]
        assert seats_of(booking) == [1]

    def test_grants_more_seats_whole_and_keeps_those_there_are(self, event, book, modify):
        booking = book(event, 2)
        book(event, 1)
        modify(booking, 4)
        assert seats_of(booking) == [1, 2, 4, 5]
        assert_sound(event.pk)

    def test_grants_more_named_seats(self, event, book, modify):
        booking = book(event, seat_nos=[1, 2])
        modify(booking, seat_nos=[2, 9, 10])
        assert seats_of(booking) == [2, 9, 10]
        assert_sound(event.pk)

    def test_refuses_more_than_there_are_and_leaves_the_booking_as_it_was(self, event, book, modify):
        booking, _ = book(event, 2), book(event, 7)
        with pytest.raises(NotEnoughSeats) as refused:
            modify(booking, 4)
        assert refused.value.free == 1
        assert (seats_of(booking), deeds_of(booking)) == ([1, 2], ["created"])

    def test_refuses_more_to_who_would_pass_the_line(self, event, book, modify):
        booking = book(event, 9)
        book(event, 2, or_wait=True)
        with pytest.raises(NotEnoughSeats) as refused:
            modify(booking, 10)
        assert (refused.value.free, refused.value.waitlist) == (0, True)
        with pytest.raises(OthersAreWaiting):
            modify(booking, seat_nos=[*range(1, 10), 10])
        assert deeds_of(booking) == ["created"]

    def test_grants_more_past_a_party_that_does_not_fit_under_the_fill_rule_and_says_so(
        self, fill_event, book, modify
    ):
        booking = book(fill_event, 8)
        passed = book(fill_event, 3, or_wait=True)
        modify(booking, 10)
        assert last_line_of(booking)["stood_at"] > passed.waiting_number
        assert BookingHistory.objects.passing(
            event_id=fill_event.pk, number=passed.waiting_number, since=passed.created_at
        ).exists()
        assert_sound(fill_event.pk)

    def test_gives_what_it_gave_back_to_the_line_in_the_same_transaction(self, event, book, modify):
        booking = book(event, 10)
        waiting = book(event, 3, or_wait=True)
        modify(booking, 7)
        waiting.refresh_from_db()
        assert (waiting.status, seats_of(waiting)) == ("confirmed", [8, 9, 10])
        assert_sound(event.pk)

    def test_changes_nothing_and_tells_nobody_when_it_is_the_same(self, event, book, modify):
        booking = book(event, seat_nos=[3, 4])
        modify(booking, 2)
        modify(booking, seat_nos=[4, 3])
        booking.refresh_from_db()
        assert (booking.version, deeds_of(booking)) == (1, ["created"])

    def test_leaves_one_line_of_history_and_one_message_that_names_the_change(self, event, book, modify):
        booking = book(event, 3)
        modify(booking, 2)
        booking.refresh_from_db()
        assert (booking.seats, booking.version) == (2, 2)
        assert deeds_of(booking) == ["created", "modified"]
        assert messages_about(booking) == ["booking_confirmed", "booking_confirmed"]
        assert last_message_about(booking)["change"] == {"seats": [3, 2], "gave_back": [3], "took": []}
        assert_told_of_every_change(event.pk)

    def test_gives_seats_back_even_of_an_organization_that_is_suspended(self, event, book, modify):
        booking = book(event, 3)
        Organization.objects.filter(pk=event.org_id).update(status="suspended")
        with pytest.raises(NotBookable):
            modify(booking, 4)
        modify(booking, 2)
        assert seats_of(booking) == [1, 2]

    def test_lets_a_booking_that_is_larger_than_allowed_by_now_become_smaller(self, event, book, modify):
        booking = book(event, 6)
        Event.objects.filter(pk=event.pk).update(max_seats_per_booking=2)
        modify(booking, 5)
        assert seats_of(booking) == [1, 2, 3, 4, 5]
        with pytest.raises(PartyTooLarge):
            modify(booking, 6)


class TestModifyWaiting:
    @pytest.fixture
    def full(self, event, book):
        book(event, 10)
        return event

    def test_keeps_the_place_in_line_with_fewer_seats(self, full, book, modify):
        first, _ = book(full, 4, or_wait=True), book(full, 1, or_wait=True)
        modify(first, 3)
        assert line_of(full.pk) == [(1, 3), (2, 1)]
        assert last_line_of(first)["waiting_number"] == 1

    def test_takes_a_new_place_at_the_end_with_more_seats(self, full, book, modify):
        first, _ = book(full, 1, or_wait=True), book(full, 2, or_wait=True)
        modify(first, 2)
        assert line_of(full.pk) == [(2, 2), (3, 2)]
        assert last_line_of(first)["waiting_number"] == 3
        assert_sound(full.pk)

    def test_is_told_as_waiting_with_the_change(self, full, book, modify):
        first = book(full, 4, or_wait=True)
        modify(first, 3)
        assert messages_about(first) == ["booking_waitlisted", "booking_waitlisted"]
        assert last_message_about(first)["change"] == {"seats": [4, 3]}
        assert_told_of_every_change(full.pk)

    def test_is_confirmed_at_once_when_the_smaller_party_fits(self, event, book, modify):
        book(event, 8)
        waiting = book(event, 3, or_wait=True)
        answer = modify(waiting, 2)
        assert (answer.status, answer.waiting_number, answer.version) == ("confirmed", None, 3)
        assert seats_of(waiting) == [9, 10]
        assert messages_about(waiting) == ["booking_waitlisted", "booking_waitlisted", "waitlist_promoted"]
        assert_sound(event.pk)

    def test_lets_those_behind_be_confirmed_when_it_goes_to_the_end(self, event, book, modify):
        book(event, 8)
        first, second = book(event, 3, or_wait=True), book(event, 2, or_wait=True)
        modify(first, 4)
        second.refresh_from_db()
        assert second.is_confirmed
        assert line_of(event.pk) == [(3, 4)]

    def test_changes_nothing_when_it_is_the_same(self, full, book, modify):
        waiting = book(full, 2, or_wait=True)
        modify(waiting, 2)
        waiting.refresh_from_db()
        assert (waiting.version, waiting.waiting_number) == (1, 1)


class TestModifyRefuses:
    @pytest.fixture
    def booking(self, event, book):
        return book(event, 2)

    def test_a_version_that_is_not_the_booking_s_and_shows_the_booking_as_it_is(self, booking, modify):
        modify(booking, 3)
        with pytest.raises(OutOfDate) as refused:
            modify(booking, 1, version=1)
        assert (refused.value.booking.seats, refused.value.booking.version) == (3, 2)
        assert seats_of(booking) == [1, 2, 3]

    def test_no_seats_at_all_and_points_to_cancelling(self, booking, modify):
        with pytest.raises(NothingLeft, match="cancel"):
            modify(booking, 0)

    def test_more_than_the_house_holds(self, booking, modify):
        with pytest.raises(PartyTooLarge):
            modify(booking, 11)

    def test_more_than_a_person_may_hold(self, book, modify):
        event, person = EventFactory(max_seats_per_person=5), UserFactory()
        booking, _ = book(event, 2, user=person), book(event, 2, user=person)
        with pytest.raises(OwnLimit) as refused:
            modify(booking, 4)
        assert (refused.value.limit, refused.value.held) == (5, 4)
        modify(booking, 3)

    def test_more_than_a_person_may_hold_to_who_waits(self, book, modify):
        event, person = EventFactory(total_slots=4, max_seats_per_person=4), UserFactory()
        book(event, 4)
        waiting = book(event, 3, user=person, or_wait=True)
        with pytest.raises(OwnLimit):
            book(event, 2, user=person, or_wait=True)
        book(event, 1, user=person, or_wait=True)
        with pytest.raises(OwnLimit):
            modify(waiting, 4)

    def test_seats_that_do_not_exist_or_are_named_twice(self, booking, modify):
        with pytest.raises(NoSuchSeat):
            modify(booking, seat_nos=[1, 11])
        with pytest.raises(SeatNamedTwice):
            modify(booking, seat_nos=[1, 1])

    def test_a_cancelled_booking(self, booking, modify, cancel):
        cancel(booking)
        with pytest.raises(AlreadyCancelled):
            modify(booking, 1)

    def test_from_the_moment_that_booking_closes(self, event, booking, modify):
        with pytest.raises(Closed):
            modify(booking, 1, now=event.event_date)
        modify(booking, 1, now=event.event_date - timedelta(microseconds=1))

    def test_a_booking_of_a_cancelled_event(self, event, booking, modify, cancel_event):
        cancel_event(event)
        with pytest.raises(EventCancelled):
            modify(booking, 1)

    def test_a_booking_that_is_not_there(self, event, now):
        with pytest.raises(Booking.DoesNotExist):
            services.modify(booking_id=uuid4(), seats=1, version=1, actor_id=None, now=now)


class TestAPartyThatTheHouseNoLongerHolds:
    def test_may_say_the_same_as_before(self, book, modify, now, organizer):
        event = EventFactory(total_slots=6)
        book(event, 3)
        waiting = book(event, 5, or_wait=True)
        services.change_capacity(event_id=event.pk, total_slots=4, actor_id=organizer.pk, now=now)
        assert modify(waiting, 5).waiting_number == 1
