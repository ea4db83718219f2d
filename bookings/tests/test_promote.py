import time
from uuid import uuid4

import pytest
from celery import Celery
from kombu import Queue

from bookings import services, story, waitlist
from bookings.errors import (
    Closed,
    EventCancelled,
    NotBookable,
    NotEnoughSeats,
    NotWaiting,
    OthersAreWaiting,
    OutOfDate,
    ReasonMissing,
)
from bookings.models import Booking, BookingHistory, EventJob, FreeRun
from orgs import nudge
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
def line(book):
    """Fill an event with a booking of each size named, and let parties of `waiting` stand in line."""

    def standing(event, *, booked=(10,), waiting=()):
        return [book(event, seats) for seats in booked], [
            book(event, seats, or_wait=True) for seats in waiting
        ]

    return standing


def confirmed(parties):
    return [Booking.objects.get(pk=party.pk).is_confirmed for party in parties]


class TestSettling:
    def test_confirms_the_first_in_line_when_the_whole_party_fits(self, event, line, cancel):
        [two, _], waiting = line(event, booked=(2, 8), waiting=(2, 1))
        cancel(two)
        assert confirmed(waiting) == [True, False]
        assert seats_of(waiting[0]) == [1, 2]
        assert_sound(event.pk)

    def test_confirms_nobody_under_the_strict_rule_while_the_first_does_not_fit(self, event, line, cancel):
        [two, _], waiting = line(event, booked=(2, 8), waiting=(3, 1, 2))
        cancel(two)
        assert confirmed(waiting) == [False, False, False]
        event.refresh_from_db()
        assert event.available_slots == 2

    def test_keeps_seats_for_the_first_in_line_until_there_are_enough(self, event, line, cancel):
        booked, waiting = line(event, booked=(2, 2, 6), waiting=(3, 1))
        cancel(booked[0])
        cancel(booked[1])
        assert confirmed(waiting) == [True, True]
        assert (seats_of(waiting[0]), seats_of(waiting[1])) == ([1, 2, 3], [4])

    def test_confirms_the_first_that_fits_under_the_fill_rule(self, line, cancel):
        event = EventFactory(queue_rule="fill")
        [three, _], waiting = line(event, booked=(3, 7), waiting=(4, 2, 2, 1))
        cancel(three)
        assert confirmed(waiting) == [False, True, False, True]
        assert_sound(event.pk)

    def test_confirms_as_many_as_fit_in_the_order_of_their_numbers(self, event, line, cancel):
        booked, waiting = line(event, booked=(6, 4), waiting=(1, 3, 2, 1))
        cancel(booked[0])
        assert [seats_of(party) for party in waiting] == [[1], [2, 3, 4], [5, 6], []]

    def test_never_confirms_part_of_a_party(self, event, line, modify):
        booked, waiting = line(event, booked=(10,), waiting=(4,))
        for seats in (9, 8, 7):
            modify(booked[0], seats)
            assert confirmed(waiting) == [False]
        modify(booked[0], 6)
        assert len(seats_of(waiting[0])) == 4

    def test_leaves_history_and_a_message_for_each_who_is_promoted(self, event, line, cancel):
        booked, waiting = line(event, waiting=(2, 3))
        cancel(booked[0])
        for party in waiting:
            assert deeds_of(party) == ["created", "promoted"]
            assert messages_about(party) == ["booking_waitlisted", "waitlist_promoted"]
        facts = last_line_of(waiting[1])
        assert (facts["by"], facts["stood_at"], facts["seat_nos"]) == ("rule", 2, [3, 4, 5])
        assert last_message_about(waiting[1])["seat_labels"] == ["3", "4", "5"]
        assert_told_of_every_change(event.pk)

    def test_seats_each_party_when_it_is_its_turn_in_what_is_free_then(self, event, line, book, cancel):
        singles = [book(event, 1) for _ in range(10)]
        _, waiting = line(event, booked=(), waiting=(2, 1, 3))
        for seat in (2, 5, 6, 8, 9, 10):
            cancel(singles[seat - 1])
        assert [seats_of(party) for party in waiting] == [[2, 5], [6], [8, 9, 10]]
        assert_sound(event.pk)

    def test_seats_a_pair_side_by_side_behind_a_party_that_had_to_be_scattered(self, book, now):
        """Two pairs, singles and one more pair are free; the party of four empties the first two pairs."""
        event = EventFactory(total_slots=30)
        free = [1, 2, 4, 5, 7, 9, 11, 13, 15, 17, 19, 21, 24, 25]
        book(event, seat_nos=[seat for seat in range(1, 31) if seat not in free])
        too_many = book(event, len(free) + 1, or_wait=True)
        four, two = book(event, 4, or_wait=True), book(event, 2, or_wait=True)
        services.cancel(booking_id=too_many.pk, actor_id=None, now=now)
        assert (seats_of(four), seats_of(two)) == ([1, 2, 4, 5], [24, 25])
        assert_sound(event.pk)

    def test_confirms_nobody_once_booking_has_closed(self, event, line, now):
        line(event, waiting=(1,))
        assert services.settle(event_id=event.pk, now=event.event_date)
        assert line_of(event.pk) == [(1, 1)]

    def test_a_party_larger_than_the_house_holds_nobody_up(self, event, line, book, cancel):
        booked, waiting = line(event, booked=(1, 1, 1), waiting=(9,))
        services.change_capacity(event_id=event.pk, total_slots=8, actor_id=None, now=event.published_at)
        assert book(event, 4, or_wait=True).is_confirmed
        cancel(booked[0])
        assert confirmed(waiting) == [False]
        assert_sound(event.pk)


class TestWhenMoreAreToBePromotedThanOneTransactionMay:
    @pytest.fixture(autouse=True)
    def two_at_most(self, monkeypatch):
        monkeypatch.setattr(waitlist, "MOST_PROMOTIONS", 2)

    @pytest.fixture(params=["strict", "fill"])
    def event(self, request, db):
        return EventFactory(queue_rule=request.param)

    def test_the_rest_is_owed_to_a_job(self, event, line, cancel, now):
        booked, waiting = line(event, waiting=(1, 1, 2, 1, 1))
        cancel(booked[0])
        assert confirmed(waiting) == [True, True, False, False, False]
        job = EventJob.objects.get(event=event, finished_at=None)
        assert (job.kind, job.due_at) == ("settle_queue", now)
        assert services.run_jobs(now=now) == 1
        assert confirmed(waiting) == [True] * 5
        assert not EventJob.objects.filter(finished_at=None).exists()
        assert_sound(event.pk)
        assert_told_of_every_change(event.pk)

    def test_the_rest_is_asked_for_at_once(
        self, event, line, cancel, settings, monkeypatch, django_capture_on_commit_callbacks
    ):
        settings.NUDGES, asked = True, set()
        app = Celery("owing", broker="memory://", set_as_current=False)
        app.conf.task_default_queue = "owing"
        monkeypatch.setattr(nudge, "_herald", nudge.Herald(app))
        booked, _ = line(event, waiting=(1, 1, 2, 1, 1))
        with django_capture_on_commit_callbacks(execute=True):
            cancel(booked[0])
        deadline = time.monotonic() + 10
        with app.connection_for_read() as broker:
            queue = Queue("owing")(broker.default_channel)
            queue.declare()
            while EventJob.TASK not in asked and time.monotonic() < deadline:
                if message := queue.get(no_ack=True):
                    asked.add(message.headers["task"])
        app.close()
        assert EventJob.TASK in asked

    def test_nothing_is_owed_when_nobody_else_fits_anyhow(self, event, line, modify):
        booked, _ = line(event, waiting=(1, 1, 1))
        modify(booked[0], 8)
        assert line_of(event.pk) == [(3, 1)]
        assert not EventJob.objects.exists()

    def test_the_rest_is_promoted_by_whoever_locks_the_event_next(self, event, line, cancel, book):
        booked, waiting = line(event, waiting=(1, 1, 2, 1))
        cancel(booked[0])
        assert book(event, 1).is_confirmed
        assert confirmed(waiting) == [True] * 4

    def test_a_newcomer_never_passes_them(self, event, line, cancel, book, now):
        booked, waiting = line(event, waiting=(1, 1, 1, 1, 1))
        cancel(booked[0])
        newcomer = book(event, 1, or_wait=True)
        assert newcomer.is_waiting
        assert confirmed(waiting) == [True, True, True, True, False]
        services.run_jobs(now=now)
        assert confirmed([*waiting, newcomer]) == [True] * 6

    def test_a_newcomer_who_will_not_wait_is_refused_and_moves_the_line_on(self, event, line, cancel, book):
        booked, waiting = line(event, waiting=(1, 1, 1, 1, 1))
        cancel(booked[0])
        with pytest.raises(NotEnoughSeats) as refused:
            book(event, 1)
        assert refused.value.free == 0
        assert confirmed(waiting) == [True, True, True, True, False]

    def test_a_newcomer_cannot_pick_seats_before_them(self, event, line, cancel, book):
        booked, _ = line(event, waiting=(1, 1, 1, 1, 1))
        cancel(booked[0])
        with pytest.raises(OthersAreWaiting):
            book(event, seat_nos=[10])

    def test_who_is_owed_a_promotion_and_changes_just_then_is_asked_to_look_again(
        self, event, line, cancel, modify
    ):
        booked, waiting = line(event, waiting=(1, 1, 3))
        cancel(booked[0])
        with pytest.raises(OutOfDate) as refused:
            modify(waiting[2], 2)
        assert refused.value.booking.is_confirmed
        assert_sound(event.pk)

    def test_who_is_owed_a_promotion_needs_no_override(self, event, line, cancel, promote):
        booked, waiting = line(event, waiting=(1, 1, 3))
        cancel(booked[0])
        with pytest.raises(NotWaiting):
            promote(waiting[2])
        assert_sound(event.pk)

    def test_one_job_stands_however_often_they_are_owed(self, event, line, cancel):
        booked, _ = line(event, booked=(5, 5), waiting=(1,) * 10)
        cancel(booked[0])
        cancel(booked[1])
        assert EventJob.objects.filter(kind="settle_queue", finished_at=None).count() == 1

    def test_none_is_owed_any_more_once_the_event_is_cancelled(self, event, line, cancel, cancel_event, now):
        booked, waiting = line(event, waiting=(1, 1, 1))
        cancel(booked[0])
        cancel_event(event)
        services.run_jobs(now=now)
        assert confirmed(waiting) == [False, False, False]
        assert deeds_of(waiting[2]) == ["created", "cancelled"]


class TestPromoteOutOfTurn:
    @pytest.fixture
    def waiting(self, event, line):
        """Two seats are free; a party of three holds up parties of two, one and one."""
        return line(event, booked=(8,), waiting=(3, 2, 1, 1))[1]

    def test_confirms_a_party_that_fits_into_the_free_seats(self, event, waiting, promote):
        booking = promote(waiting[1])
        assert (booking.status, booking.waiting_number) == ("confirmed", None)
        assert seats_of(booking) == [9, 10]
        assert messages_about(booking) == ["booking_waitlisted", "waitlist_promoted"]
        assert_sound(event.pk)
        assert_told_of_every_change(event.pk)

    def test_keeps_the_reason_and_the_number_at_which_they_stood(self, waiting, promote, organizer):
        promote(waiting[1], reason="  They play first. ")
        facts = last_line_of(waiting[1])
        assert (facts["by"], facts["reason"], facts["stood_at"]) == ("organizer", "They play first.", 2)
        assert facts["actor"] == str(organizer.pk)

    def test_is_read_by_who_was_passed_and_by_nobody_who_stood_behind(self, event, waiting, promote):
        promote(waiting[1], reason="They play first.")
        [passing], more = _passings(waiting[0])
        assert ("party of 2" in passing.text, passing.reason, more) == (True, "They play first.", False)
        assert _passings(waiting[2]) == ([], False)

    def test_never_names_who_passed(self, event, line, book, promote):
        line(event, booked=(8,), waiting=(3,))
        person = UserFactory(name="Marianne Musterfrau")
        booking = book(event, 2, user=person, or_wait=True)
        promote(booking)
        assert "marianne" not in str(BookingHistory.objects.filter(event_id=event.pk).values()).lower()

    def test_keeps_everybody_else_in_their_place(self, event, waiting, promote):
        promote(waiting[2])
        assert line_of(event.pk) == [(1, 3), (2, 2), (4, 1)]

    def test_needs_free_seats(self, waiting, promote):
        promote(waiting[2])
        with pytest.raises(NotEnoughSeats) as refused:
            promote(waiting[1])
        assert refused.value.free == 1

    @pytest.mark.parametrize("reason", ["", "  \n"])
    def test_needs_a_reason(self, waiting, promote, reason):
        with pytest.raises(ReasonMissing):
            promote(waiting[1], reason=reason)

    def test_needs_somebody_who_waits(self, event, waiting, promote, cancel):
        promote(waiting[1])
        with pytest.raises(NotWaiting):
            promote(waiting[1])
        cancel(waiting[2])
        with pytest.raises(NotWaiting):
            promote(waiting[2])

    def test_needs_an_event_that_can_be_booked(self, event, waiting, promote, cancel_event):
        with pytest.raises(Closed):
            promote(waiting[1], now=event.event_date)
        Organization.objects.filter(pk=event.org_id).update(status="suspended")
        with pytest.raises(NotBookable):
            promote(waiting[1])
        cancel_event(event)
        with pytest.raises(EventCancelled):
            promote(waiting[1])

    def test_needs_a_booking(self, waiting, organizer, now):
        with pytest.raises(Booking.DoesNotExist):
            services.promote(booking_id=uuid4(), reason="So.", actor_id=organizer.pk, now=now)

    def test_makes_the_free_runs_anew_when_they_call_a_booked_seat_free(self, event, waiting, promote):
        FreeRun.objects.create(event=event, first_seat=1, last_seat=3)
        assert seats_of(promote(waiting[1])) == [9, 10]
        assert_sound(event.pk)


class TestPassing:
    def test_under_the_fill_rule_is_read_by_who_was_passed(self, line, cancel):
        event = EventFactory(queue_rule="fill")
        booked, waiting = line(event, booked=(2, 8), waiting=(5, 2))
        cancel(booked[0])
        [passing], _ = _passings(waiting[0])
        assert "party of 2" in passing.text
        assert passing.reason == ""

    def test_begins_anew_with_a_new_place_in_line(self, line, book, cancel, modify):
        event = EventFactory(queue_rule="fill")
        booked, waiting = line(event, booked=(2, 8), waiting=(5, 2))
        cancel(booked[0])
        modify(waiting[0], 6)
        assert _passings(Booking.objects.get(pk=waiting[0].pk)) == ([], False)

    def test_of_nobody_who_was_confirmed_in_turn(self, event, line, cancel):
        booked, waiting = line(event, waiting=(5, 6))
        cancel(booked[0])
        assert _passings(waiting[1]) == ([], False)


def _passings(booking):
    return story.passings(booking, list(BookingHistory.objects.of_booking(booking.pk)))


class TestHistory:
    def test_is_told_in_the_order_in_which_things_were_done_not_asked_for(self, book, cancel, now, later):
        """The cancelling was asked for first, and had the event's lock after the promotion."""
        event = EventFactory(total_slots=1)
        first, waiting = book(event, 1), book(event, 1, or_wait=True)
        cancel(first, now=later)
        cancel(waiting, now=now)
        told = BookingHistory.objects.of_booking(waiting.pk).values_list("action", flat=True)
        assert list(told) == ["created", "promoted", "cancelled"]
