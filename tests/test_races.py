"""Who is first when everybody comes at once; and beside each race a control that has no lock.

The controls show that it is the lock which makes the outcome right: without it the same race ends wrong,
or with an error of the constraint that is the last to stand.
"""

from datetime import timedelta
from functools import partial
from itertools import combinations_with_replacement
from threading import Event as Signal
from time import sleep
from unittest import mock
from uuid import uuid4

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from bookings import services
from bookings.box_office import BoxOffice
from bookings.errors import (
    BookingRefused,
    CapacityTaken,
    EventCancelled,
    OwnLimit,
    SeatsTaken,
)
from bookings.house import House
from bookings.models import Booking, EventJob
from bookings.services import jobs
from events.models import Event
from notifications.models import Notification
from tests.factories import EventFactory, UserFactory
from tests.racing import (
    PATIENCE,
    at_once,
    in_processes_of_their_own,
    meeting_after,
    nothing_locked,
    what_the_database_refused,
)
from tests.truth import assert_sound, assert_told_of_every_change, line_of, seats_of

pytestmark = pytest.mark.django_db(transaction=True)

SEAT_IS_BOOKED_ONCE = "idx_booking_seats_unique"


@pytest.fixture(autouse=True)
def _in_processes_of_their_own():
    with in_processes_of_their_own():
        yield


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def wanting(now):
    """Somebody's wish to book, to be fulfilled by calling it."""

    def wish(event, seats=None, *, user=None, **request):
        user = user or UserFactory()
        request.setdefault("key", uuid4())
        return lambda: services.book(event_id=event.pk, user_id=user.pk, seats=seats, now=now, **request)

    return wish


@pytest.fixture
def cancelling(now):
    def wish(booking):
        return lambda: services.cancel(booking_id=booking.pk, actor_id=booking.user_id, now=now)

    return wish


@pytest.fixture
def changing(now):
    def wish(booking, **change):
        return lambda: services.modify(
            booking_id=booking.pk, version=booking.version, actor_id=booking.user_id, now=now, **change
        )

    return wish


def states(answers):
    """What came of it: how a booking stands, or the name of what went wrong."""
    return sorted(
        answer.status if isinstance(answer, Booking) else type(answer).__name__ for answer in answers
    )


class TestEightPeopleForOneSeat:
    def test_one_gets_it_and_the_others_stand_in_line(self, wanting):
        event = EventFactory(total_slots=1)
        answers = at_once(*[wanting(event, 1, or_wait=True) for _ in range(8)])
        assert states(answers) == ["confirmed"] + ["waiting"] * 7
        assert line_of(event.pk) == [(number, 1) for number in range(1, 8)]
        assert_sound(event.pk)
        assert_told_of_every_change(event.pk)

    def test_without_consent_to_wait_the_others_are_refused(self, wanting):
        event = EventFactory(total_slots=1)
        answers = at_once(*[wanting(event, 1) for _ in range(8)])
        assert states(answers) == ["NotEnoughSeats"] * 7 + ["confirmed"]

    def test_the_database_never_has_to_refuse_any_of_them(self, wanting):
        event = EventFactory(total_slots=1)
        with what_the_database_refused() as refused:
            at_once(*[wanting(event, 1, or_wait=True) for _ in range(8)])
        assert refused == []

    def test_control_without_the_lock_only_the_index_stands(self, wanting):
        event = EventFactory(total_slots=2)
        wanting(event, 1)()
        with nothing_locked(), meeting_after(House, "choose", 2), what_the_database_refused() as refused:
            answers = at_once(*[wanting(event, 1) for _ in range(2)])
        assert refused == [SEAT_IS_BOOKED_ONCE]
        assert states(answers).count("confirmed") == 1

    def test_control_without_the_lock_two_would_get_the_same_waiting_number(self, wanting):
        event = EventFactory(total_slots=1)
        wanting(event, 1)()
        with (
            nothing_locked(),
            meeting_after(BoxOffice, "stand_last", 2),
            what_the_database_refused() as refused,
        ):
            at_once(*[wanting(event, 1, or_wait=True) for _ in range(2)])
        assert refused == ["nobody_shares_a_waiting_number"]


class TestManyPartiesAtOnce:
    @pytest.mark.parametrize("rule", ["strict", "fill"])
    def test_everybody_is_seated_or_stands_in_line(self, wanting, rule):
        event = EventFactory(total_slots=12, queue_rule=rule)
        answers = at_once(*[wanting(event, seats, or_wait=True) for seats in (1, 5, 2, 4, 3, 1, 2, 5)])
        assert set(states(answers)) == {"confirmed", "waiting"}
        assert_sound(event.pk)
        assert_told_of_every_change(event.pk)


class TestTheSameFormTwiceAtOnce:
    def test_makes_one_booking_and_both_see_it(self, wanting):
        event = EventFactory(total_slots=2)
        wish = wanting(event, 2, key=uuid4())
        first, second = at_once(wish, wish)
        assert first == second
        assert Booking.objects.count() == 1
        assert_told_of_every_change(event.pk)

    def test_control_without_the_lock_only_the_constraint_stands(self, wanting):
        event = EventFactory()
        wanting(event, 1)()
        wish = wanting(event, 2, key=uuid4())
        with nothing_locked(), meeting_after(House, "choose", 2), what_the_database_refused() as refused:
            at_once(wish, wish)
        assert refused == ["a_form_books_once"]


class TestTwoPeopleNameTheSameSeat:
    def test_one_gets_it_and_the_other_is_told_which_is_taken(self, wanting):
        event = EventFactory()
        answers = at_once(wanting(event, seat_nos=[3, 4]), wanting(event, seat_nos=[4, 5]))
        assert states(answers) == ["SeatsTaken", "confirmed"]
        refused = next(answer for answer in answers if isinstance(answer, SeatsTaken))
        assert refused.seat_nos == [4]
        assert_sound(event.pk)

    def test_control_without_the_lock_only_the_index_stands(self, wanting):
        event = EventFactory()
        wanting(event, 1)()
        with (
            nothing_locked(),
            meeting_after(House, "choose_named", 2),
            what_the_database_refused() as refused,
        ):
            at_once(wanting(event, seat_nos=[3, 4]), wanting(event, seat_nos=[4, 5]))
        assert refused == [SEAT_IS_BOOKED_ONCE]


class TestOnePersonWithTwoForms:
    """Each alone is within the cap per person, both together are not."""

    @pytest.fixture
    def wishes(self, wanting):
        event, person = EventFactory(max_seats_per_person=3), UserFactory()
        wanting(event, 1)()
        return [wanting(event, 2, user=person) for _ in range(2)]

    def test_gets_one_of_them(self, wishes):
        answers = at_once(*wishes)
        assert states(answers) == ["OwnLimit", "confirmed"]
        assert any(isinstance(answer, OwnLimit) and answer.held == 2 for answer in answers)

    def test_control_without_the_lock_only_the_database_counts(self, wishes):
        with nothing_locked(), meeting_after(House, "choose", 2), what_the_database_refused() as refused:
            at_once(*wishes)
        assert refused == ["nobody_holds_more_seats_than_allowed"]


class TestCancellingWhileOthersBook:
    def test_gives_the_seat_to_who_waits_and_never_to_the_newcomer(self, wanting, cancelling):
        for _ in range(5):
            event = EventFactory(total_slots=1)
            booking = wanting(event, 1)()
            waiting = wanting(event, 1, or_wait=True)()
            _, *newcomers = at_once(cancelling(booking), *[wanting(event, 1) for _ in range(3)])
            assert states(newcomers) == ["NotEnoughSeats"] * 3
            assert seats_of(waiting) == [1]
            assert_sound(event.pk)

    def test_gives_the_seat_to_who_joins_the_line_just_then(self, wanting, cancelling):
        for _ in range(5):
            event = EventFactory(total_slots=1)
            booking = wanting(event, 1)()
            _, joined = at_once(cancelling(booking), wanting(event, 1, or_wait=True))
            assert seats_of(joined) == [1]
            assert_sound(event.pk)

    def test_control_without_the_lock_somebody_waits_beside_a_free_seat(self, wanting, cancelling):
        event = EventFactory(total_slots=1)
        booking = wanting(event, 1)()
        with nothing_locked(), meeting_after(BoxOffice, "settle", 2):
            at_once(cancelling(booking), wanting(event, 1, or_wait=True))
        event.refresh_from_db()
        assert (event.available_slots, line_of(event.pk)) == (1, [(1, 1)])


class TestCapacityChangedTwiceAtOnce:
    def test_one_comes_after_the_other(self, now, wanting):
        event = EventFactory()
        wanting(event, 4)()

        def to(seats):
            return lambda: services.change_capacity(
                event_id=event.pk, total_slots=seats, actor_id=None, now=now
            )

        at_once(to(12), to(15))
        event.refresh_from_db()
        assert event.total_slots in (12, 15)
        assert_sound(event.pk)

    def test_lowered_while_somebody_books_the_seats_that_go(self, now, wanting):
        for _ in range(5):
            event = EventFactory()
            lower, _ = at_once(
                lambda event=event: services.change_capacity(
                    event_id=event.pk, total_slots=8, actor_id=None, now=now
                ),
                wanting(event, seat_nos=[9]),
            )
            event.refresh_from_db()
            assert isinstance(lower, CapacityTaken) == (event.total_slots == 10)
            assert_sound(event.pk)

    def test_raised_while_people_book_promotes_in_order(self, now, wanting):
        event = EventFactory(total_slots=2)
        wanting(event, 2)()
        first = wanting(event, 2, or_wait=True)()
        at_once(
            lambda: services.change_capacity(event_id=event.pk, total_slots=4, actor_id=None, now=now),
            *[wanting(event, 1, or_wait=True) for _ in range(3)],
        )
        assert seats_of(first) == [3, 4]
        assert_sound(event.pk)

    def test_control_without_the_lock_the_free_runs_are_wrong(self, now, wanting):
        """The change reads the seats while somebody books one, and calls it free in the end."""
        event = EventFactory()
        wanting(event, 1)()
        chosen, raised = Signal(), Signal()

        def choose(house, party, _original=House.choose):
            seats = _original(house, party)
            chosen.set()
            raised.wait(PATIENCE)
            return seats

        def raising():
            chosen.wait(PATIENCE)
            try:
                services.change_capacity(event_id=event.pk, total_slots=12, actor_id=None, now=now)
            finally:
                raised.set()

        with nothing_locked(), mock.patch.object(House, "choose", choose):
            at_once(wanting(event, 2), raising)
        with pytest.raises(AssertionError, match="free runs"):
            assert_sound(event.pk)


class TestTheEventCancelledWhileSomebodyBooks:
    @staticmethod
    def cancelling_event(event, now):
        return lambda: services.cancel_event(event_id=event.pk, reason="Flooded.", actor_id=None, now=now)

    def test_leaves_nobody_confirmed_once_the_job_has_run(self, now, wanting):
        for _ in range(5):
            event = EventFactory(total_slots=4)
            wanting(event, 1)()
            wishes = [wanting(event, 1, or_wait=True) for _ in range(5)]
            answers = at_once(self.cancelling_event(event, now), *wishes)
            assert all(isinstance(answer, Event | Booking | EventCancelled) for answer in answers)
            services.run_jobs(now=now)
            assert not Booking.objects.active().filter(event=event).exists()
            assert_sound(event.pk)
            assert_told_of_every_change(event.pk)

    def test_and_its_job_running_in_two_workers_tells_each_once(self, now, wanting, cancelling):
        event = EventFactory(total_slots=30)
        for _ in range(12):
            wanting(event, 1)()
        self.cancelling_event(event, now)()
        with mock.patch.dict(jobs.cancel_bookings.__globals__, {"PAGE": 2}):
            at_once(*[lambda: services.run_jobs(now=now)] * 3)
        assert Notification.objects.filter(type="event_cancelled").count() == 12
        assert_sound(event.pk)
        assert_told_of_every_change(event.pk)

    def test_control_without_the_lock_a_booking_outlives_its_event(self, now, wanting):
        event = EventFactory()
        wanting(event, 1)()
        chosen, over = Signal(), Signal()

        def choose(house, party, _original=House.choose):
            seats = _original(house, party)
            chosen.set()
            over.wait(PATIENCE)
            return seats

        def cancel_event():
            chosen.wait(PATIENCE)
            self.cancelling_event(event, now)()
            services.run_jobs(now=now)
            over.set()

        with nothing_locked(), mock.patch.object(House, "choose", choose):
            booking, _ = at_once(wanting(event, 2), cancel_event)
        assert Event.objects.get(pk=event.pk).is_cancelled
        assert booking.is_confirmed


class TestSwapsAtOnce:
    @pytest.fixture
    def bookings(self, wanting):
        event = EventFactory(total_slots=5)
        return event, [wanting(event, seat_nos=[seat])() for seat in (1, 2)]

    def test_to_the_same_free_seat_one_gets_it_and_the_other_stays(self, bookings, changing):
        event, (one, two) = bookings
        answers = at_once(changing(one, seat_nos=[4]), changing(two, seat_nos=[4]))
        assert states(answers) == ["SeatsTaken", "confirmed"]
        assert sorted(seats_of(one) + seats_of(two)) in ([1, 4], [2, 4])
        assert_sound(event.pk)

    def test_of_two_people_with_each_other_neither_loses_a_seat(self, bookings, changing):
        _, (one, two) = bookings
        answers = at_once(changing(one, seat_nos=[2]), changing(two, seat_nos=[1]))
        assert states(answers) == ["SeatsTaken", "SeatsTaken"]
        assert (seats_of(one), seats_of(two)) == ([1], [2])

    def test_into_a_seat_that_somebody_leaves_just_then_either_works_or_does_not(self, bookings, changing):
        event, (one, two) = bookings
        at_once(changing(one, seat_nos=[2]), changing(two, seat_nos=[5]))
        assert seats_of(two) == [5]
        assert seats_of(one) in ([1], [2])
        assert_sound(event.pk)

    def test_of_one_booking_in_two_windows_is_done_once(self, bookings, changing):
        event, (one, _) = bookings
        answers = at_once(changing(one, seat_nos=[3]), changing(one, seat_nos=[4]))
        assert states(answers) == ["OutOfDate", "confirmed"]
        assert_sound(event.pk)

    def test_control_without_the_lock_only_the_index_stands(self, bookings, changing):
        _, (one, two) = bookings
        with (
            nothing_locked(),
            meeting_after(House, "choose_named", 2),
            what_the_database_refused() as refused,
        ):
            at_once(changing(one, seat_nos=[4]), changing(two, seat_nos=[4]))
        assert refused == [SEAT_IS_BOOKED_ONCE]


def _as_it_is(event) -> dict:
    """For `reschedule`: what it asks for, but the place, the actor and the moment."""
    return {
        "event_id": event.pk,
        "event_date": event.event_date,
        "ends_at": None,
        "time_zone": "UTC",
        "online_url": "",
    }


class TestTheEventMovedWhilePeopleAreTold:
    def test_tells_of_the_change_that_was_just_being_made(self, now, wanting):
        """The job comes due while a second change is being written: it waits, and then tells of both."""
        event = EventFactory()
        wanting(event, 1)()
        move = {**_as_it_is(event), "actor_id": None, "now": now}
        services.reschedule(place="The park", **move)
        due = now + timedelta(minutes=2)
        moved = Signal()

        def settle(office, _original=BoxOffice.settle):
            moved.set()
            _until_somebody_waits_for_a_lock()
            _original(office)

        def telling():
            moved.wait(PATIENCE)
            services.run_jobs(now=due)

        with mock.patch.object(BoxOffice, "settle", settle):
            at_once(lambda: services.reschedule(place="The hall", **move), telling)
        services.run_jobs(now=due + timedelta(minutes=2))
        places = [message.payload["place"] for message in Notification.objects.filter(type="event_updated")]
        assert places[-1:] == ["The hall"]


class TestLocksInOneOrder:
    """Everything against everything, on the same event and the same bookings."""

    VERBS = ("book", "cancel", "modify", "promote", "capacity", "reschedule", "cancel_event", "jobs")

    @pytest.fixture
    def wishes(self, now, wanting, cancelling, changing):
        """An event with bookings and a line, and for each verb the n-th person's wish."""

        def of(rule):
            event = EventFactory(total_slots=6, queue_rule=rule)
            booked = [wanting(event, 2)() for _ in range(3)]
            waiting = [wanting(event, seats, or_wait=True)() for seats in (2, 1)]
            move = _as_it_is(event)
            by = {"actor_id": waiting[0].user_id, "now": now}
            services.reschedule(place="The park", **move, **by)
            return event, {
                "book": lambda n: wanting(event, 2, or_wait=True),
                "cancel": lambda n: cancelling((booked + waiting)[2 * n]),
                "modify": lambda n: changing(booked[n], seats=1),
                "promote": lambda n: partial(services.promote, booking_id=waiting[n].pk, reason="So.", **by),
                "capacity": lambda n: partial(
                    services.change_capacity, event_id=event.pk, total_slots=7 + n, move_people=True, **by
                ),
                "reschedule": lambda n: partial(services.reschedule, place=f"Hall {n}", **move, **by),
                "cancel_event": lambda n: partial(
                    services.cancel_event, event_id=event.pk, reason="So.", **by
                ),
                "jobs": lambda n: partial(services.run_jobs, now=now + timedelta(minutes=2)),
            }

        return of

    @pytest.mark.parametrize("pair", list(combinations_with_replacement(VERBS, 2)), ids="-".join)
    def test_nobody_waits_for_each_other(self, pair, now, wishes):
        for rule in ("strict", "fill"):
            event, wish = wishes(rule)
            answers = at_once(*[wish[verb](n) for n in range(2) for verb in pair])
            expected = (Booking, Event, int, BookingRefused)
            assert [answer for answer in answers if not isinstance(answer, expected)] == []
            services.run_jobs(now=now + timedelta(minutes=2))
            assert not EventJob.objects.filter(due_at__lte=now, finished_at=None).exists()
            assert_sound(event.pk)
            assert_told_of_every_change(event.pk)

    def test_control_the_other_order_ends_in_a_deadlock(self, wanting, cancelling):
        event = EventFactory()
        booking = wanting(event, 1)()
        holds_booking, holds_event = Signal(), Signal()

        def event_last():
            with transaction.atomic():
                Booking.objects.lock().get(pk=booking.pk)
                holds_booking.set()
                holds_event.wait(PATIENCE)
                Event.objects.lock(event.pk)

        def booking_of(office, booking_id, _original=BoxOffice.booking):
            holds_event.set()
            holds_booking.wait(PATIENCE)
            return _original(office, booking_id)

        with mock.patch.object(BoxOffice, "booking", booking_of):
            answers = at_once(event_last, cancelling(booking))
        assert sum(isinstance(answer, OperationalError) for answer in answers) == 1


def _until_somebody_waits_for_a_lock():
    for _ in range(200):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) "
                "WHERE NOT granted AND datname = current_database()"
            )
            if cursor.fetchone()[0]:
                return
        sleep(0.01)
