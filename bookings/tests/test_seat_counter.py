"""The counter in Redis: it refuses, it never grants, and whatever becomes of it nobody's booking suffers."""

import socket
from datetime import timedelta
from importlib import import_module
from uuid import uuid4

import pytest
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext
from redis.exceptions import ConnectionError as ConnectionLost

from bookings import seat_counter, seats_side, services
from bookings.combining import LeaderLost, TurnNeverCame
from bookings.errors import KeyUsedDifferently, NotEnoughSeats, PartyTooLarge
from bookings.models import Booking
from bookings.seats_side import GENERATION, SEATS
from events.models import Event
from orgs import breaker
from orgs.breaker import Away
from tests.factories import EventFactory, UserFactory
from tests.truth import assert_sound

book_module = import_module("bookings.services.book")
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def event():
    return EventFactory(total_slots=10, waitlist=False)


def slots(event) -> int | None:
    counted = SEATS.client.get(f"event:{event.pk}:slots")
    return None if counted is None else int(counted)


def left(event) -> int:
    return Event.objects.get(pk=event.pk).available_slots


def wipe(event) -> None:
    SEATS.client.delete(f"event:{event.pk}:slots", f"event:{event.pk}:epoch")


def fail(side) -> None:
    """Redis does not answer its next question."""
    with pytest.raises(Away):
        side.call(lambda client: client.execute_command("NO SUCH COMMAND"))


def refused_without_a_query(book, event, seats: int = 1) -> bool:
    somebody = UserFactory()
    with CaptureQueriesContext(connection) as queries, pytest.raises(NotEnoughSeats):
        book(event, seats, user=somebody)
    return len(queries) == 0


class TestCounter:
    def test_begins_with_the_first_booking_and_follows_each(self, event, book):
        book(event, 3)
        assert slots(event) == left(event) == 7
        book(event, 2)
        assert slots(event) == left(event) == 5

    def test_is_asked_once_for_a_booking(self, event, book, monkeypatch):
        book(event, 1)
        run, asked = SEATS.run, []
        monkeypatch.setattr(
            SEATS, "run", lambda script, *more, **named: asked.append(script) or run(script, *more, **named)
        )
        for _ in range(3):
            book(event, 2)
        assert asked == [seat_counter.CLAIM] * 3

    def test_follows_what_is_given_back(self, event, book, cancel, modify):
        first, second = book(event, 4), book(event, 4)
        cancel(first)
        assert slots(event) == left(event) == 6
        modify(second, 1)
        assert slots(event) == left(event) == 9

    def test_follows_promotions_that_take_what_was_given_back(self, book, cancel):
        event = EventFactory(total_slots=4)
        first = book(event, 4)
        book(event, 3, or_wait=True)
        cancel(first)
        assert slots(event) == left(event) == 1

    def test_follows_a_change_of_capacity(self, event, book, change_capacity):
        book(event, 4)
        change_capacity(event, 20)
        book(event, 1)
        assert slots(event) == left(event) == 15

    def test_counts_none_of_a_cancelled_event(self, event, book, cancel_event, now):
        book(event, 4)
        cancel_event(event)
        assert slots(event) == 0
        services.run_jobs(now=now)
        assert slots(event) == 0

    def test_is_whole_again_after_a_refusal(self, event, book):
        somebody = UserFactory()
        Event.objects.filter(pk=event.pk).update(max_seats_per_person=5)
        book(event, 3, user=somebody)
        with pytest.raises(Exception, match="up to 5 seats"):
            book(event, 3, user=somebody)
        assert slots(event) == left(event) == 7

    def test_is_whole_again_after_a_transaction_that_failed(self, event, book, monkeypatch):
        book(event, 3)

        def failing(*_, **__):
            raise ZeroDivisionError

        monkeypatch.setattr(book_module, "answer_all", failing)
        with pytest.raises(ZeroDivisionError):
            book(event, 3)
        assert slots(event) == left(event) == 7

    def test_leaves_seats_to_others_where_somebody_waits_instead(self, book):
        event = EventFactory(total_slots=5)
        book(event, 3)
        assert book(event, 3, or_wait=True).is_waiting
        assert slots(event) == left(event) == 2


class TestRefusal:
    @pytest.fixture
    def sold_out(self, event, book):
        book(event, 10)
        return event

    def test_asks_postgresql_nothing_where_there_is_no_line(self, sold_out, book):
        somebody = UserFactory()
        with CaptureQueriesContext(connection) as queries, pytest.raises(NotEnoughSeats) as refused:
            book(sold_out, 2, user=somebody)
        assert len(queries) == 0
        assert (refused.value.free, refused.value.waitlist) == (0, False)

    def test_offers_the_fewer_that_are_left(self, event, book):
        book(event, 9)
        with pytest.raises(NotEnoughSeats) as refused:
            book(event, 2)
        assert refused.value.free == 1

    def test_is_left_to_postgresql_where_there_is_a_line(self, book):
        event = EventFactory(total_slots=2)
        book(event, 2)
        assert book(event, 1, or_wait=True).is_waiting

    def test_is_left_to_postgresql_where_the_party_is_too_large_for_the_house(self, sold_out, book):
        with pytest.raises(PartyTooLarge):
            book(sold_out, 11)

    def test_is_left_to_postgresql_once_booking_has_closed(self, sold_out, book, now):
        with pytest.raises(Exception, match="has closed"):
            book(sold_out, 1, now=now + timedelta(days=4_000))

    def test_shows_the_booking_to_the_second_click_for_the_last_seats(self, event, book):
        somebody, key = UserFactory(), uuid4()
        first = book(event, 10, user=somebody, key=key)
        assert book(event, 10, user=somebody, key=key) == first

    def test_ends_when_seats_come_back(self, event, book, cancel):
        booking = book(event, 10)
        cancel(booking)
        assert book(event, 1).is_confirmed

    def test_forgets_a_form_that_booked_nothing(self, event, book):
        somebody, key = UserFactory(), uuid4()
        Event.objects.filter(pk=event.pk).update(max_seats_per_person=5)
        book(event, 5)
        book(event, 5, user=somebody)
        with CaptureQueriesContext(connection) as queries, pytest.raises(NotEnoughSeats):
            book(event, 1, user=somebody, key=key)
        assert len(queries) == 0


class TestSeatsSetAside:
    """What others have set aside may come back: it refuses nobody for good before it is booked."""

    @pytest.fixture
    def tried(self, event, book, now):
        """Six of ten are booked, the others set aside twice over: who asks now is not refused by Redis."""
        book(event, 6)
        return [seat_counter.claim(event.pk, seats=2, key=uuid4(), now=now) for _ in range(2)]

    def test_leave_the_third_to_postgresql(self, event, book, tried):
        assert slots(event) == 0
        assert book(event, 2).is_confirmed

    def test_refuse_who_asks_for_more_than_could_come_back(self, event, book, tried):
        assert refused_without_a_query(book, event, 5)

    def test_count_as_sold_once_they_are_booked(self, event, book, now, tried):
        for claim in tried:
            book(event, 2, key=claim.key, claim=claim)
        assert slots(event) == left(event) == 0
        assert refused_without_a_query(book, event)

    def test_are_free_again_once_they_are_given_back(self, event, book, tried):
        for claim in tried:
            claim.give_back()
        assert slots(event) == left(event) == 4
        book(event, 4)
        assert refused_without_a_query(book, event)

    def test_count_for_ten_seconds_at_most_after_the_last_was_claimed(self, event, book, tried):
        under_way = f"event:{event.pk}:under_way"
        assert 8_000 < SEATS.client.pttl(under_way) <= 10_000
        SEATS.client.delete(under_way)  # as then
        assert refused_without_a_query(book, event)

    def test_are_looked_at_by_who_only_looks(self, event, now, tried):
        look = {"event_id": event.pk, "now": now, "looks_only": True}
        assert not services.set_aside(seats=1, **look).seats
        with pytest.raises(NotEnoughSeats):
            services.set_aside(seats=5, **look)

    def test_are_none_of_a_counter_made_anew(self, event, book, tried):
        seat_counter.forget(event.pk)
        book(event, 4)
        for claim in tried:
            claim.settle()
        assert slots(event) == left(event) == 0
        assert refused_without_a_query(book, event)

    def test_are_given_back_where_nobody_may_book_like_this(self, event, book):
        book(event, 6)
        with transaction.atomic(), pytest.raises(RuntimeError):
            book(event, 4)
        assert slots(event) == 4


class TestForm:
    """Who sends the same form again gets the one true answer, though the seats are gone."""

    @pytest.mark.parametrize("failure", [OperationalError, TurnNeverCame, LeaderLost])
    def test_stays_known_where_it_is_not_known_what_it_did(self, event, book, monkeypatch, failure):
        person, key, ask = UserFactory(), uuid4(), book_module.TURNS.ask
        book(event, 5)

        def asking_and_losing_the_answer(*arguments, **named):
            ask(*arguments, **named)
            raise failure

        with monkeypatch.context() as patch:
            patch.setattr(book_module.TURNS, "ask", asking_and_losing_the_answer)
            with pytest.raises(failure):
                book(event, 5, user=person, key=key)
        SEATS.client.set(f"event:{event.pk}:slots", 0)  # as the next check finds it
        assert book(event, 5, user=person, key=key).user_id == person.pk

    def test_is_asked_about_where_its_mark_was_wiped_along_with_the_counter(self, event, book):
        person, key = UserFactory(), uuid4()
        booking = book(event, 10, user=person, key=key)
        wipe(event)
        SEATS.client.delete(f"event:{event.pk}:form:{key}")
        with pytest.raises(NotEnoughSeats):
            book(event, 1)
        assert slots(event) == 0
        assert book(event, 10, user=person, key=key) == booking

    def test_is_asked_about_where_it_came_while_redis_was_away(self, event, book, monkeypatch):
        monkeypatch.setattr(breaker, "REST", 0)
        person, key = UserFactory(), uuid4()
        book(event, 1)
        with monkeypatch.context() as patch:
            patch.setattr(SEATS.breaker, "_is_away", True)
            patch.setattr(SEATS.breaker, "_asks_again_at", float("inf"))
            booking = book(event, 9, user=person, key=key)
        fail(SEATS)
        with pytest.raises(NotEnoughSeats):
            book(event, 1)
        assert slots(event) == 0
        assert book(event, 9, user=person, key=key) == booking

    def test_is_marked_when_redis_is_back(self, event, book, monkeypatch):
        monkeypatch.setattr(breaker, "REST", 0)
        key = uuid4()
        with monkeypatch.context() as patch:
            patch.setattr(SEATS.breaker, "_is_away", True)
            patch.setattr(SEATS.breaker, "_asks_again_at", float("inf"))
            book(event, 1, key=key)
        assert not SEATS.client.exists(f"event:{event.pk}:form:{key}")
        fail(SEATS)
        book(event, 1)
        assert SEATS.client.exists(f"event:{event.pk}:form:{key}")

    def test_is_in_doubt_for_a_moment_where_redis_was_away_and_remembers(self, event, book, monkeypatch):
        """Until the other processes have found it back, and have marked what came to them."""
        monkeypatch.setattr(breaker, "REST", 0)
        book(event, 10)
        fail(SEATS)
        with pytest.raises(NotEnoughSeats):
            book(event, 1)
        doubt = int(SEATS.client.hget(f"event:{event.pk}:epoch", "refuses_from"))
        assert 0 < doubt - SEATS.client.time()[0] <= seats_side.TO_COME_BACK

    def test_is_in_no_doubt_where_all_have_found_redis_back_long_ago(self, event, book, monkeypatch):
        """Its counter may begin anew much later: when somebody comes to ask again."""
        monkeypatch.setattr(breaker, "REST", 0)
        book(event, 10)
        fail(SEATS)
        SEATS.call(lambda client: client.expire(seats_side.DOUBTED, 0))
        with pytest.raises(NotEnoughSeats):
            book(event, 1)
        assert refused_without_a_query(book, event)

    def test_is_in_doubt_for_a_minute_where_redis_was_started_anew(self, event, book):
        book(event, 10)
        SEATS.client.hset(f"event:{event.pk}:epoch", "run", "an earlier one")
        SEATS.client.incr(GENERATION)
        with pytest.raises(NotEnoughSeats):
            book(event, 1)
        doubt = int(SEATS.client.hget(f"event:{event.pk}:epoch", "refuses_from"))
        assert 50 < doubt - SEATS.client.time()[0] <= 60

    def test_is_in_doubt_for_a_minute_and_no_longer(self, event, book):
        book(event, 10)
        wipe(event)
        with pytest.raises(NotEnoughSeats):
            book(event, 1)
        doubt = int(SEATS.client.hget(f"event:{event.pk}:epoch", "refuses_from"))
        assert 50 < doubt - SEATS.client.time()[0] <= 60
        SEATS.client.hset(f"event:{event.pk}:epoch", "refuses_from", SEATS.client.time()[0])
        assert refused_without_a_query(book, event)

    def test_stays_known_where_it_is_granted_after_a_doubt(self, event, book, cancel):
        person, key, first = UserFactory(), uuid4(), book(event, 10)
        wipe(event)
        with pytest.raises(NotEnoughSeats):
            book(event, 1)
        cancel(first)
        SEATS.client.set(f"event:{event.pk}:slots", 0)
        booking = book(event, 10, user=person, key=key)
        SEATS.client.hset(f"event:{event.pk}:epoch", "refuses_from", 0)
        SEATS.client.set(f"event:{event.pk}:slots", 0)
        assert book(event, 10, user=person, key=key) == booking

    def test_stays_known_where_it_was_sent_with_other_choices_in_between(self, event, book):
        person, key = UserFactory(), uuid4()
        book(event, 5)
        booking = book(event, 3, user=person, key=key)
        SEATS.client.delete(f"event:{event.pk}:form:{key}")
        with pytest.raises(KeyUsedDifferently):
            book(event, 2, user=person, key=key)
        book(event, 2)
        assert book(event, 3, user=person, key=key) == booking


class TestCounterThatLies:
    def test_never_grants(self, event, book):
        book(event, 10)
        SEATS.client.set(f"event:{event.pk}:slots", 1_000)
        with pytest.raises(NotEnoughSeats):
            book(event, 1)
        assert_sound(event.pk)

    def test_turns_nobody_away_who_may_wait(self, book):
        event = EventFactory(total_slots=5)
        book(event, 1)
        SEATS.client.set(f"event:{event.pk}:slots", 0)
        assert book(event, 2, or_wait=True).is_confirmed

    def test_is_overwritten_when_it_is_no_number(self, event, book):
        book(event, 1)
        SEATS.client.set(f"event:{event.pk}:slots", "many")
        assert book(event, 2).is_confirmed
        assert left(event) == 7

    def test_begins_anew_when_it_was_wiped(self, event, book):
        book(event, 1)
        wipe(event)
        book(event, 2)
        assert slots(event) == left(event) == 7


class TestEpoch:
    """Whatever overtakes whatever, each change is counted once."""

    def test_drops_what_a_claim_of_an_older_counter_gives_back(self, event, book, now):
        book(event, 2)
        claim = seat_counter.claim(event.pk, seats=3, key=None, now=now)
        seat_counter.forget(event.pk)
        book(event, 1)
        claim.give_back()
        assert slots(event) == left(event) == 7

    def test_does_not_follow_what_a_newer_counter_includes(self, event, book):
        found = Event.objects.get(pk=event.pk)
        found.org_status = "active"
        book(event, 2)
        seat_counter.follow(found, change=-2, left=8)
        assert slots(event) == left(event) == 8

    def test_follows_what_came_after_the_counter_was_made(self, event, book):
        book(event, 2)
        found = Event.objects.get(pk=event.pk)
        found.org_status = "active"
        seat_counter.follow(found, change=-1, left=7)
        assert slots(event) == 7

    def test_counts_what_an_older_generation_left_behind_as_missing(self, event, book, now):
        book(event, 2)
        SEATS.client.incr(GENERATION)
        assert not seat_counter.claim(event.pk, seats=1, key=None, now=now).is_counted
        book(event, 1)
        assert slots(event) == left(event) == 7

    def test_follows_what_came_after_a_refusal_that_began_the_counter(self, event, book, cancel):
        booking = book(event, 10)
        wipe(event)
        with pytest.raises(NotEnoughSeats):
            book(event, 1)
        cancel(booking)
        assert slots(event) == left(event) == 10

    def test_does_not_begin_with_less_than_was_followed_before_it_was_forgotten(self, event, book, cancel):
        """Of two transactions the first forgets the counter and begins it anew, after the second followed."""
        first, second = book(event, 2), book(event, 3)
        found = Event.objects.get(pk=event.pk)
        found.org_status = "active"
        cancel(first)
        left_by_the_first = left(event)
        cancel(second)
        seat_counter.forget(event.pk)
        seat_counter.follow(found, change=2, left=left_by_the_first)
        assert slots(event) is None
        book(event, 1)
        assert slots(event) == left(event) == 9

    def test_is_in_no_doubt_where_it_was_only_forgotten(self, event, book, reschedule):
        book(event, 10)
        reschedule(event, place="The park")
        assert not refused_without_a_query(book, event)  # and the counter begins anew
        assert refused_without_a_query(book, event)


class TestAway:
    @pytest.fixture
    def away(self, monkeypatch):
        """A Redis side whose server cannot be reached."""
        side = type(SEATS)("seats")
        side.client = SEATS.client.__class__.from_url("redis://127.0.0.1:1", socket_connect_timeout=0.1)
        monkeypatch.setattr(seat_counter, "SEATS", side)
        return side

    def test_books_guarded_by_postgresql_alone(self, event, book, away):
        assert book(event, 10).is_confirmed
        with pytest.raises(NotEnoughSeats):
            book(event, 1)
        assert_sound(event.pk)

    def test_is_asked_once_and_then_left_alone(self, event, book, away):
        for _ in range(5):
            book(event, 1)
        assert away.breaker.failures == 1

    def test_is_not_given_up_for_being_late_with_an_answer_to_one_who_only_looks(self, event, now, away):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"redis://127.0.0.1:{silent.getsockname()[1]}"
            away.client = SEATS.client.__class__.from_url(url, socket_timeout=0.1)
            for looks_only, failures in ((True, 0), (False, 1)):
                seat_counter.claim(event.pk, seats=1, key=uuid4(), now=now, looks_only=looks_only)
                assert away.breaker.failures == failures

    def test_has_every_counter_begin_anew_when_it_is_back(self, event, book, now, monkeypatch):
        monkeypatch.setattr(breaker, "REST", 0)
        book(event, 1)
        generation = int(SEATS.client.get(GENERATION))
        fail(SEATS)
        assert not seat_counter.claim(event.pk, seats=1, key=None, now=now).is_counted
        assert int(SEATS.client.get(GENERATION)) == generation + 1

    def test_has_every_counter_begin_anew_on_a_server_started_anew(self, event, book, now):
        """Which nobody's failure told of; it may have come up with an older state."""
        book(event, 1)
        SEATS.client.set(seats_side.RUN, "an earlier run")
        generation = int(SEATS.client.get(GENERATION))
        SEATS._own._connection.disconnect()
        assert not seat_counter.claim(event.pk, seats=1, key=None, now=now).is_counted
        SEATS._own._connection.disconnect()
        seat_counter.claim(event.pk, seats=1, key=None, now=now)
        assert int(SEATS.client.get(GENERATION)) == generation + 1

    @pytest.fixture
    def loses_the_next_answer(self):
        """Redis does what this thread asks of it next, and the answer is lost with the connection."""

        def losing():
            connection = SEATS._own._connection

            def read_response(*_, **__):
                del connection.read_response
                type(connection).read_response(connection)
                connection.disconnect()
                raise ConnectionLost

            connection.read_response = read_response

        return losing

    def test_is_not_asked_a_second_time_for_what_it_may_have_done(
        self, event, book, cancel, now, loses_the_next_answer
    ):
        booking = book(event, 4)
        loses_the_next_answer()
        assert not seat_counter.claim(event.pk, seats=3, key=uuid4(), now=now).seats
        assert slots(event) == 3
        SEATS.breaker._is_away = False
        loses_the_next_answer()
        cancel(booking)
        assert slots(event) == 7

    def test_rolls_back_what_had_claimed_seats_and_books_it_anew(self, event, book, monkeypatch):
        book(event, 1)
        answer_all, attempts = book_module.answer_all, []

        def losing_redis_first(*arguments, **options):
            answers = answer_all(*arguments, **options)
            attempts.append(answers)
            if len(attempts) == 1:
                fail(SEATS)
            return answers

        monkeypatch.setattr(book_module, "answer_all", losing_redis_first)
        booking = book(event, 2)
        first, second = (answers[0].booking.pk for answers in attempts)
        assert booking.pk == second != first
        assert not Booking.objects.filter(pk=first).exists()
        assert_sound(event.pk)

    def test_books_without_what_had_been_claimed_where_the_transaction_failed_too(
        self, event, book, monkeypatch
    ):
        book(event, 1)
        answer_all, claimed = book_module.answer_all, []

        def failing_first(locked, requests, **options):
            claimed.append(requests[0].claim.seats)
            if len(claimed) == 1:
                fail(SEATS)
                raise ZeroDivisionError
            return answer_all(locked, requests, **options)

        monkeypatch.setattr(book_module, "answer_all", failing_first)
        assert book(event, 2).is_confirmed
        assert claimed == [2, 0]
