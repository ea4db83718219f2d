"""The line of an event, mirrored in Redis: a place in it is read without counting who stands ahead.

`event:<id>:waitlist` holds each waiting booking by its number. It follows every transaction that changes the
line, once that is committed; where there is no mirror, PostgreSQL is asked, and `bookings.reconcile` makes
one. Who is promoted is decided by the rows alone.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from uuid import UUID

from bookings.models import Booking
from bookings.seat_counter import GENERATION, KEPT, SEATS
from orgs.breaker import Away
from orgs.redis_side import Script

LINE = Script(Path(__file__).parent / "lua" / "line.lua")
AT_ONCE = 5_000

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Length:
    """What a mirror says of its line: how many stand in it, and the first and the last number."""

    parties: int
    first: int | None
    last: int | None


def follow(event_id: UUID, *, version: int, is_new: bool, changes: dict[UUID, int | None]) -> None:
    """Follow a transaction that has been committed.

    Args:
        version: of the event's row as the transaction found it.
        is_new: whether nobody had ever stood in line before.
        changes: the new number of each party that joined or moved, None of one that left.
    """
    parties = [word for booking, number in changes.items() for word in (str(booking), number or "")]
    try:
        SEATS.run(LINE, _keys(event_id), [version, int(is_new), KEPT, *parties])
    except Away:
        logger.info("The line of event %s could not follow; reconciling makes it anew.", event_id)


def place(booking: Booking) -> int | None:
    """How many parties stand up to and including this one; None if the mirror does not know."""

    def ask(client):
        line, epoch, generation = _keys(booking.event_id)
        with client.pipeline(transaction=False) as pipe:
            pipe.get(generation)
            pipe.hget(epoch, "generation")
            pipe.zscore(line, str(booking.pk))
            pipe.zrank(line, str(booking.pk))
            return pipe.execute()

    try:
        generation, of, number, rank = SEATS.call(ask)
    except Away:
        return None
    if of != (generation or b"0") or number != booking.waiting_number:
        return None
    return rank + 1


def read(event_ids: list[UUID]) -> dict[UUID, Length | None]:
    """What the mirrors say; None where there is none that holds.

    Raises:
        Away
    """

    def ask(client):
        with client.pipeline(transaction=False) as pipe:
            pipe.get(GENERATION)
            for event_id in event_ids:
                line, epoch, _ = _keys(event_id)
                pipe.hget(epoch, "generation")
                pipe.zcard(line)
                pipe.zrange(line, 0, 0, withscores=True)
                pipe.zrange(line, -1, -1, withscores=True)
            return pipe.execute()

    if not event_ids:
        return {}
    generation, *answers = SEATS.call(ask)
    mirrors = {}
    for at, event_id in enumerate(event_ids):
        of, parties, first, last = answers[4 * at : 4 * at + 4]
        holds = of == (generation or b"0")
        mirrors[event_id] = Length(parties, _number(first), _number(last)) if holds else None
    return mirrors


def rebuild(event_id: UUID, *, version: int, line: Iterable[tuple[UUID, int]]) -> None:
    """Make the mirror anew from `line`: the bookings and their numbers, as of `version` of the event.

    Raises:
        Away
    """
    parties = iter(line)

    def ask(client):
        key, epoch, generation = _keys(event_id)
        fresh = f"{key}:fresh"
        client.delete(fresh)
        while page := dict(islice(((str(booking), number) for booking, number in parties), AT_ONCE)):
            client.zadd(fresh, page)
        with client.pipeline() as pipe:
            pipe.delete(key, epoch)
            if client.exists(fresh):
                pipe.rename(fresh, key)
            pipe.hset(epoch, mapping={"version": version, "generation": client.get(generation) or 0})
            pipe.expire(key, KEPT)
            pipe.expire(epoch, KEPT)
            pipe.execute()

    SEATS.call(ask)


def _keys(event_id: UUID) -> list[str]:
    return [f"event:{event_id}:waitlist", f"event:{event_id}:waitlist:epoch", GENERATION]


def _number(ends: list) -> int | None:
    return int(ends[0][1]) if ends else None
