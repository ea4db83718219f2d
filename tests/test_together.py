"""Bookings that arrive together are made together: one transaction, each with its own outcome."""

import importlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, OperationalError, connection, connections, transaction
from django.utils import timezone

from bookings import services
from bookings.combining import Ticket, TurnNeverCame
from bookings.errors import (
    Closed,
    KeyUsedDifferently,
    NoSuchSeat,
    NotEnoughSeats,
    OwnLimit,
    PartyTooLarge,
    SeatsTaken,
)
from bookings.models import Booking, FreeRun
from bookings.services import granting
from bookings.services.book import TURNS
from events.models import Event
from tests.factories import EventFactory, UserFactory
from tests.truth import assert_sound, assert_told_of_every_change, seats_of

pytestmark = pytest.mark.django_db(transaction=True)

SOON = 20.0
book_module = importlib.import_module("bookings.services.book")  # the package's own name is the function's


@pytest.fixture
def event():
    return EventFactory(total_slots=200, max_seats_per_booking=10)


@pytest.fixture
def threads():
    with ThreadPoolExecutor(40) as pool:
        yield pool


@contextmanager
def event_locked(event):
    """Hold the event's row, so that whoever wants it gathers in front of it."""
    with transaction.atomic():
        Event.objects.lock(event.pk)
        yield


def ask(event, **request):
    """In a thread of its own: the booking, or the refusal."""
    request.setdefault("key", uuid4())
    request.setdefault("now", timezone.now())
    try:
        return services.book(event_id=event.pk, **request)
    except Exception as refusal:
        return refusal
    finally:
        connection.close()


def in_a_thread(call, *arguments):
    """What it returns or raises."""
    try:
        return call(*arguments)
    except Exception as error:
        return error
    finally:
        connection.close()


def together(threads, event, requests: list[dict]) -> list:
    """The outcomes of requests that stand in line at once, in their order."""
    asked = []
    with event_locked(event):
        for number, request in enumerate(requests, start=1):
            asked.append(threads.submit(ask, event, **request))
            wait_until_in_line(event, number)
    return [future.result(SOON) for future in asked]


def wait_until_in_line(event, people: int) -> None:
    for _ in range(2000):
        if len(TURNS._waiting.get(event.pk, ())) == people:
            return
        threading.Event().wait(0.005)
    raise AssertionError(f"{people} never stood in line")


def people(number: int) -> list[dict]:
    return [{"user_id": UserFactory().pk, "seats": 2} for _ in range(number)]


def transactions_of(bookings: list[Booking]) -> int:
    """In how many transactions the rows were written."""
    with connection.cursor() as cursor:
        ids = [booking.pk for booking in bookings]
        cursor.execute("SELECT count(DISTINCT xmin::text) FROM bookings WHERE id = ANY(%s)", [ids])
        return cursor.fetchone()[0]


class TestTogether:
    def test_are_booked_in_one_transaction_in_the_order_in_which_they_came(self, event, threads):
        bookings = together(threads, event, people(30))
        assert [seats_of(booking)[0] for booking in bookings] == list(range(1, 60, 2))
        assert transactions_of(bookings) == 1
        assert_sound(event.pk)
        assert_told_of_every_change(event.pk)

    def test_who_reached_the_process_first_is_served_first(self, threads):
        """However long each took to the line: one asked Redis and PostgreSQL for longer than the other."""
        event = EventFactory(total_slots=2, waitlist=False)
        later, earlier = people(2)
        requests = [{**later, "arrived": 20.0}, {**earlier, "arrived": 10.0}]
        refused, booked = together(threads, event, [{"user_id": UserFactory().pk, "seats": 50}, *requests])[
            1:
        ]
        assert isinstance(refused, NotEnoughSeats)
        assert booked.user_id == earlier["user_id"]

    def test_each_is_refused_or_granted_by_itself(self, event, threads):
        services.book(event_id=event.pk, user_id=UserFactory().pk, seat_nos=[7], now=timezone.now())
        greedy = UserFactory()
        Event.objects.filter(pk=event.pk).update(max_seats_per_person=5)
        outcomes = together(
            threads,
            event,
            [
                *people(1),
                {"user_id": UserFactory().pk, "seats": 11},
                {"user_id": UserFactory().pk, "seat_nos": [6, 7]},
                {"user_id": UserFactory().pk, "seat_nos": [201]},
                {"user_id": greedy.pk, "seats": 3},
                {"user_id": greedy.pk, "seats": 3},
                *people(1),
            ],
        )
        kinds = [Booking, PartyTooLarge, SeatsTaken, NoSuchSeat, Booking, OwnLimit, Booking]
        assert [type(outcome) for outcome in outcomes] == kinds
        assert outcomes[5].held == 3
        assert [seats_of(outcomes[at]) for at in (0, 4, 6)] == [[1, 2], [3, 4, 5], [8, 9]]
        assert_sound(event.pk)
        assert_told_of_every_change(event.pk)

    def test_the_ones_too_late_stand_in_line_in_the_order_in_which_they_came(self, threads):
        small = EventFactory(total_slots=5)
        requests = [{**request, "or_wait": True} for request in people(5)]
        bookings = together(threads, small, requests)
        assert [booking.waiting_number for booking in bookings] == [None, None, 1, 2, 3]
        assert_sound(small.pk)

    def test_the_same_form_twice_is_one_booking(self, event, threads):
        form = {"user_id": UserFactory().pk, "seats": 2, "key": uuid4()}
        first, second = together(threads, event, [form, dict(form)])
        assert first == second
        assert Booking.objects.count() == 1
        assert_told_of_every_change(event.pk)

    def test_two_who_name_the_same_seat_get_it_in_the_order_in_which_they_came(self, event, threads):
        requests = [{"user_id": UserFactory().pk, "seat_nos": [5]} for _ in range(2)]
        first, second = together(threads, event, requests)
        assert seats_of(first) == [5]
        assert isinstance(second, SeatsTaken)

    def test_a_named_seat_leaves_the_next_party_the_lowest_run_that_is_left(self, threads):
        house = EventFactory(total_slots=8)
        for seat in (3, 6):
            services.book(event_id=house.pk, user_id=UserFactory().pk, seat_nos=[seat], now=timezone.now())
        named, pair = together(threads, house, [{"user_id": UserFactory().pk, "seat_nos": [1]}, *people(1)])
        assert (seats_of(named), seats_of(pair)) == ([1], [4, 5])

    def test_who_comes_as_booking_closes_gives_nobody_a_way_past_the_line(self, threads):
        closes = timezone.now() + timedelta(hours=1)
        house = EventFactory(total_slots=5, booking_closes_at=closes)
        ask(house, user_id=UserFactory().pk, seats=3)
        ask(house, user_id=UserFactory().pk, seats=3, or_wait=True)
        moment = timedelta(milliseconds=1)
        requests = [{**people(1)[0], "now": closes - moment}, {**people(1)[0], "now": closes + moment}]
        outcomes = together(threads, house, requests)
        assert [type(outcome) for outcome in outcomes] == [NotEnoughSeats, Closed]

    def test_nobody_books_inside_a_transaction_of_their_own(self, event, threads):
        """Alone it would be refused by itself; together with others the leader would commit it."""

        def nested():
            with transaction.atomic():
                return ask(event, user_id=UserFactory().pk, seats=1)

        outcome = threads.submit(nested).result(SOON)
        assert isinstance(outcome, RuntimeError)
        assert not Booking.objects.exists()


class TestWhenTheTransactionFails:
    def test_a_fault_that_one_request_meets_is_its_own(self, event, threads, monkeypatch):
        unlucky, answer = UserFactory(), granting._answer

        def answering(office, request, held):
            if request.user_id == unlucky.pk:
                raise ZeroDivisionError
            return answer(office, request, held)

        monkeypatch.setattr(granting, "_answer", answering)
        requests = [*people(2), {"user_id": unlucky.pk, "seats": 1}, *people(1)]
        outcomes = together(threads, event, requests)
        assert [type(outcome) for outcome in outcomes] == [Booking, Booking, ZeroDivisionError, Booking]
        assert_sound(event.pk)

    def test_a_person_who_is_gone_keeps_nobody_from_booking(self, event, threads):
        """The statement that writes everybody's booking is refused for one row of it."""
        requests = [*people(1), {"user_id": uuid4(), "seats": 1}, *people(1)]
        outcomes = together(threads, event, requests)
        assert [type(outcome) for outcome in outcomes] == [Booking, IntegrityError, Booking]
        assert_sound(event.pk)
        assert_told_of_every_change(event.pk)

    def test_nobody_waits_longer_than_patience_for_all_to_be_tried(self, event, threads, monkeypatch):
        def failing(*args, **kwargs):
            raise OperationalError("the connection was lost")

        monkeypatch.setattr(book_module, "answer_all", failing)
        monkeypatch.setattr(book_module, "PATIENCE", -1)
        outcomes = together(threads, event, people(3))
        assert [type(outcome) for outcome in outcomes] == [TurnNeverCame] * 3

    def test_who_has_hardly_any_patience_left_waits_no_longer_for_the_lock(self, event, threads):
        ticket = Ticket(None)
        with event_locked(event):
            began = time.monotonic()
            waiting = threads.submit(in_a_thread, book_module._serve, event.pk, lambda: [ticket], 0.3)
            assert isinstance(waiting.result(SOON), OperationalError)
        assert time.monotonic() - began < 3

    def test_each_is_tried_alone_and_gets_a_true_answer(self, event, threads):
        """The runs call seat 3 free, which somebody holds: the index refuses the transaction as a whole."""
        services.book(event_id=event.pk, user_id=UserFactory().pk, seat_nos=[3], now=timezone.now())
        FreeRun.objects.filter(event=event).delete()
        FreeRun.objects.create(event=event, first_seat=1, last_seat=200)
        bookings = together(threads, event, people(5))
        assert [seats_of(booking) for booking in bookings] == [[1, 2], [4, 5], [6, 7], [8, 9], [10, 11]]
        assert_sound(event.pk)
        assert_told_of_every_change(event.pk)


class TestWhenItIsNotKnownWhetherItWasCommitted:
    @pytest.fixture
    def cut(self, monkeypatch):
        """Cut the connection of the next booking on its way to commit: "before" it is done, or "after"."""
        backend, here = connections["default"].__class__, threading.current_thread()
        commit, armed = backend.commit, []

        def cutting(self):
            if threading.current_thread() is here or not armed:
                return commit(self)
            if armed.pop() == "after":
                commit(self)
            self.connection.close()
            raise OperationalError("the connection was lost")

        monkeypatch.setattr(backend, "commit", cutting)
        return armed.append

    def test_who_was_booked_is_told_so(self, event, threads, cut):
        cut("after")
        bookings = together(threads, event, people(4))
        assert [seats_of(booking) for booking in bookings] == [[1, 2], [3, 4], [5, 6], [7, 8]]
        assert transactions_of(bookings) == 1
        assert_sound(event.pk)

    def test_everybody_else_gets_the_answer_they_would_have_had(self, event, threads, cut):
        person, key = UserFactory(), uuid4()
        ask(event, user_id=person.pk, seats=1, key=key)
        cut("after")
        requests = [
            {"user_id": UserFactory().pk, "seats": 2, "key": None},
            {"user_id": UserFactory().pk, "seats": 11},
            {"user_id": person.pk, "seats": 2, "key": key},
        ]
        outcomes = together(threads, event, requests)
        assert [type(outcome) for outcome in outcomes] == [Booking, PartyTooLarge, KeyUsedDifferently]

    def test_who_was_not_is_told_so_and_the_same_form_books(self, event, threads, cut):
        cut("before")
        requests = [{**request, "key": uuid4()} for request in people(4)]
        outcomes = together(threads, event, requests)
        assert [type(outcome) for outcome in outcomes] == [OperationalError] * 4
        assert not Booking.objects.exists()
        assert all(isinstance(ask(event, **request), Booking) for request in requests)
        assert_sound(event.pk)

    def test_nobody_is_refused_for_what_was_never_booked(self, threads, cut):
        house = EventFactory(total_slots=5, waitlist=False)
        cut("before")
        requests = [{"user_id": UserFactory().pk, "seats": seats, "key": uuid4()} for seats in (5, 1)]
        outcomes = together(threads, house, requests)
        assert [type(outcome) for outcome in outcomes] == [OperationalError] * 2
        assert isinstance(ask(house, **requests[1]), Booking)
        assert_sound(house.pk)
