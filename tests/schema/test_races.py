"""Two connections at once: what the triggers' locks are for, with controls that go without."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from time import monotonic, sleep

import psycopg
import pytest

from tests.schema.refusals import rule_of
from tests.schema.rows import Rows

ROUNDS = 40
SEATS_DOWNWARDS = """
    INSERT INTO booking_seats (booking_id, event_id, seat_no)
    SELECT id, event_id, 1 FROM bookings WHERE id = ANY(%s) ORDER BY event_id DESC
"""
BOOKINGS_DOWNWARDS = """
    INSERT INTO bookings (event_id, user_id, seats, status)
    SELECT event_id, user_id, 1, 'confirmed' FROM bookings WHERE id = ANY(%s) ORDER BY event_id DESC
"""


@pytest.fixture(scope="module")
def database(beside, migrated):
    return beside(template=migrated)


@pytest.fixture
def rows(database, connect):
    return Rows(connect(database).cursor())


@pytest.fixture
def both(database, connect):
    return [Rows(connect(database).cursor()) for _ in range(2)]


def at_once(both, *deeds) -> list[BaseException | None]:
    """Each connection does its deed, all beginning at the same moment; what each of them ended with."""
    barrier = Barrier(len(deeds))

    def run(rows, deed):
        barrier.wait()
        deed(rows)

    with ThreadPoolExecutor(len(deeds)) as pool:
        running = [pool.submit(run, rows, deed) for rows, deed in zip(both, deeds, strict=True)]
        return [one.exception() for one in running]


def second_behind_first(both, first: tuple, second: tuple) -> BaseException | None:
    """One connection does `first` and holds its transaction open until the other waits in `second`, then
    commits; what the second ended with."""
    with behind(both, first, second) as waiting:
        pass
    return waiting.exception()


@contextmanager
def behind(both, first: tuple, second: tuple):
    """While one connection holds what `first` locked, and the other waits for it in `second`."""
    holder, waiter = both
    holder.do("BEGIN")
    holder.do(*first)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(waiter.do, *second)
        deadline = monotonic() + 10
        while not waiting.done() and not _is_waiting(holder, waiter):
            assert monotonic() < deadline
            sleep(0.005)
        yield waiting
        holder.do("COMMIT")


def _is_waiting(holder, waiter) -> bool:
    return holder.value(
        "SELECT cardinality(pg_blocking_pids(%s)) > 0", waiter.cursor.connection.info.backend_pid
    )


class TestStatementsOverTheSameEventsInOppositeOrders:
    @pytest.fixture
    def events(self, rows):
        return [rows.add("events", total_slots=1000) for _ in range(20)]

    @pytest.fixture
    def theirs(self, rows, events):
        """A booking on each of the events, for each of the two."""
        return [[rows.add("bookings", event_id=event) for event in events] for _ in range(2)]

    def seat(self, bookings, seat_no):
        """Book the seat in the event of each of the bookings, one after the other in one statement."""
        return lambda rows: rows.do(
            "INSERT INTO booking_seats (booking_id, event_id, seat_no)"
            " SELECT id, event_id, %s FROM unnest(%s::uuid[]) WITH ORDINALITY AS wanted (booking_id, place)"
            " JOIN bookings ON id = booking_id ORDER BY place",
            seat_no,
            bookings,
        )

    def race_for_seats(self, both, theirs, round_no):
        """The first takes odd seats and goes up, the second takes even ones and goes down."""
        return at_once(
            both,
            self.seat(theirs[0], 2 * round_no + 1),
            self.seat(theirs[1][::-1], 2 * round_no + 2),
        )

    def test_take_seats_without_a_deadlock(self, both, rows, theirs, events):
        for round_no in range(ROUNDS):
            assert self.race_for_seats(both, theirs, round_no) == [None, None]
        left = rows.column("SELECT available_slots FROM events WHERE id = ANY(%s)", events)
        assert left == [1000 - 2 * ROUNDS] * len(events)

    def test_book_without_a_deadlock(self, both, rows, events):
        people = [rows.add("users") for _ in both]

        def book(events, person):
            return lambda rows: rows.do(
                "INSERT INTO bookings (event_id, user_id, seats, status)"
                " SELECT event, %s, 1, 'confirmed' FROM unnest(%s::uuid[]) AS event",
                person,
                events,
            )

        for _ in range(ROUNDS):
            assert at_once(both, book(events, people[0]), book(events[::-1], people[1])) == [None, None]
        totals = rows.column("SELECT confirmed_bookings FROM event_totals WHERE event_id = ANY(%s)", events)
        assert totals == [2 * ROUNDS] * len(events)

    @pytest.mark.parametrize("statement", [SEATS_DOWNWARDS, BOOKINGS_DOWNWARDS], ids=["seats", "bookings"])
    def test_lock_none_before_they_have_the_lowest(self, both, rows, events, theirs, statement):
        lowest, *others = sorted(events)
        locked = "SELECT 1 FROM events WHERE id = %s FOR NO KEY UPDATE", lowest
        with behind(both, locked, (statement, theirs[0])) as waiting:
            free = rows.column(
                "SELECT 1 FROM events WHERE id = ANY(%s) FOR NO KEY UPDATE SKIP LOCKED", others
            )
            assert len(free) == len(others)
        assert waiting.exception() is None

    def test_control_a_trigger_that_counts_row_by_row_deadlocks(self, beside, migrated, connect):
        database = beside(template=migrated)
        rows, *both = (Rows(connect(database).cursor()) for _ in range(3))
        rows.do("ALTER TABLE booking_seats DISABLE TRIGGER booking_seats_inserted")
        rows.do(
            "CREATE FUNCTION count_each_row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " UPDATE events SET available_slots = available_slots - 1 WHERE id = NEW.event_id;"
            " RETURN NULL; END $$"
        )
        rows.do(
            "CREATE TRIGGER count_each_row AFTER INSERT ON booking_seats"
            " FOR EACH ROW EXECUTE FUNCTION count_each_row()"
        )
        events = [rows.add("events", total_slots=1000) for _ in range(20)]
        theirs = [[rows.add("bookings", event_id=event) for event in events] for _ in both]
        ends = (end for round_no in range(400) for end in self.race_for_seats(both, theirs, round_no))
        assert any(isinstance(end, psycopg.errors.DeadlockDetected) for end in ends)


class TestTwoFormsOfOnePerson:
    BOOK = ("INSERT INTO bookings (event_id, user_id, seats, status) VALUES (%s, %s, 3, 'confirmed')",)
    HELD = "SELECT sum(seats) FROM bookings WHERE event_id = %s AND user_id = %s"

    def book_twice_at_once(self, rows, both):
        facts = rows.add("events", max_seats_per_person=4), rows.add("users")
        end = second_behind_first(both, (*self.BOOK, *facts), (*self.BOOK, *facts))
        return end, rows.value(self.HELD, *facts)

    def test_cannot_both_pass_below_the_cap(self, rows, both):
        end, held = self.book_twice_at_once(rows, both)
        assert rule_of(end) == "nobody_holds_more_seats_than_allowed"
        assert held == 3

    def test_control_without_the_lock_they_can(self, beside, migrated, connect):
        database = beside(template=migrated)
        rows, *both = (Rows(connect(database).cursor()) for _ in range(3))
        function = rows.value("SELECT pg_get_functiondef('keep_event_totals'::regproc)")
        before, lock, after = function.partition("PERFORM 1 FROM events")
        assert lock
        rows.do(before + after[after.index(";") + 1 :])
        end, held = self.book_twice_at_once(rows, both)
        assert (end, held) == (None, 6)


class TestASeatAndACapacityThatDoNotGoTogether:
    LOWER = "UPDATE events SET total_slots = 5 WHERE id = %s"
    BOOK = """
        INSERT INTO booking_seats (booking_id, event_id, seat_no)
        SELECT id, event_id, 8 FROM bookings WHERE event_id = %s
    """

    @pytest.fixture
    def event(self, rows):
        return rows.value("SELECT event_id FROM bookings WHERE id = %s", rows.add("bookings"))

    def test_let_the_seat_win_when_it_was_first(self, both, event):
        end = second_behind_first(both, (self.BOOK, event), (self.LOWER, event))
        assert rule_of(end) == "capacity_holds_every_booked_seat"

    def test_let_the_capacity_win_when_it_was_first(self, both, event):
        end = second_behind_first(both, (self.LOWER, event), (self.BOOK, event))
        assert rule_of(end) == "seat_numbers_end_at_the_capacity"


class TestTwoPeopleAtOneSeat:
    def test_leave_it_to_the_first(self, rows, both):
        event = rows.add("events")
        first, second = (rows.add("bookings", event_id=event) for _ in both)
        take = "INSERT INTO booking_seats (booking_id, event_id, seat_no) VALUES (%s, %s, 1)"
        end = second_behind_first(both, (take, first, event), (take, second, event))
        assert rule_of(end) == "idx_booking_seats_unique"
        assert rows.value("SELECT available_slots FROM events WHERE id = %s", event) == 9
