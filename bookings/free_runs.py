"""Stored free runs: reading just enough of them, and writing them back. The only file that does either.

All of it happens under the event's lock. However many gaps a house has, a party of N asks for at most
51 - N short probes of an index by length. Runs are derived: `rebuild` makes them from the seats booked.
"""

from collections.abc import Iterable

from django.db import connection

from bookings.allocation import Run, blocks_of, runs_between
from bookings.models import BookingSeat
from events.models import Event

LONGEST = 50  # a party's most; the stored length of a run stops there


def for_parties(event_id, parties: list[int], *, touched: int = 0) -> list[Run]:
    """Runs that surely hold the lowest fit for each party, if all are seated one after the other.

    Of each length that could hold the smallest party the lowest runs, one for each party and one for each
    of the `touched` runs that this transaction has cut or joined already.

    Said as a range and ordered by length, although there is one length at a time: with an equation the
    planner may walk through all runs by their last seat, in the hope of soon meeting one so long.
    """
    return _runs(
        """
        SELECT run.first_seat, run.last_seat
        FROM generate_series(%(smallest)s::integer, %(longest)s::integer) AS wanted (length)
        CROSS JOIN LATERAL (
            SELECT first_seat, last_seat FROM event_free_runs
            WHERE event_id = %(event)s AND length BETWEEN wanted.length AND wanted.length
            ORDER BY length, last_seat LIMIT %(each)s
        ) AS run
        """,
        event=event_id,
        smallest=min(parties),
        longest=LONGEST,
        each=len(parties) + touched,
    )


def lowest(event_id, seats: int, *, touched: int = 0) -> list[Run]:
    """The lowest runs, enough to hold that many seats: each run holds at least one."""
    return _runs(
        """
        SELECT first_seat, last_seat FROM event_free_runs
        WHERE event_id = %(event)s ORDER BY last_seat LIMIT %(most)s
        """,
        event=event_id,
        most=seats + touched,
    )


def around(event_id, seat_nos: Iterable[int]) -> list[Run]:
    """The runs that hold these seats, end just below or begin just above one of them."""
    return _runs(
        """
        SELECT DISTINCT run.first_seat, run.last_seat
        FROM unnest(%(seats)s::integer[]) AS seat (no)
        CROSS JOIN LATERAL (
            SELECT first_seat, last_seat FROM event_free_runs
            WHERE event_id = %(event)s AND last_seat >= seat.no - 1
            ORDER BY last_seat LIMIT 2
        ) AS run
        WHERE run.first_seat <= seat.no + 1
        """,
        event=event_id,
        seats=list(seat_nos),
    )


def store(event_id, *, gone: list[int], changed: list[Run]) -> None:
    """Write back what `FreeSeats.changes` names."""
    with connection.cursor() as cursor:
        if gone:
            cursor.execute(
                "DELETE FROM event_free_runs WHERE event_id = %s AND last_seat = ANY(%s::integer[])",
                [event_id, gone],
            )
        if changed:
            cursor.execute(
                """
                INSERT INTO event_free_runs (event_id, first_seat, last_seat)
                SELECT %s, first_seat, last_seat
                FROM unnest(%s::integer[], %s::integer[]) AS run (first_seat, last_seat)
                ON CONFLICT (event_id, last_seat) DO UPDATE SET first_seat = excluded.first_seat
                """,
                [event_id, [first for first, _ in changed], [last for _, last in changed]],
            )


def rebuild(event: Event) -> None:
    """Make an event's runs anew from its booked seats; reads all of them, so for rare occasions."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM event_free_runs WHERE event_id = %s", [event.pk])
    store(event.pk, gone=[], changed=list(true_runs(event)))


def true_runs(event: Event) -> Iterable[Run]:
    """What the stored runs must be: the seats of the house that nobody has booked."""
    booked = BookingSeat.objects.booked().filter(event_id=event.pk).order_by("seat_no")
    numbers = booked.values_list("seat_no", flat=True).iterator(chunk_size=10_000)
    return runs_between(numbers, blocks_of(event.seating, event.total_slots))


def _runs(sql: str, **facts) -> list[Run]:
    with connection.cursor() as cursor:
        cursor.execute(sql, facts)
        return cursor.fetchall()
