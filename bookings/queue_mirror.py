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
from uuid import UUID, uuid4

from bookings.models import Booking
from bookings.seats_side import GENERATION, KEPT, SEATS
from orgs.breaker import Away
from orgs.redis_side import Script

_LUA = Path(__file__).parent / "lua"
LINE, LINE_ANEW = Script(_LUA / "line.lua"), Script(_LUA / "line_anew.lua")
AT_ONCE = 5_000
MAKING = 300  # seconds that making a mirror anew may take

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Length:
    """What a mirror says of its line: how many stand in it, and the first and the last number."""

    parties: int
    first: int | None
    last: int | None

    def less(self, other: "Length") -> tuple[int, int, int]:
        """By how much the parties, and the first and the last number, differ."""
        first, last = (self.first or 0) - (other.first or 0), (self.last or 0) - (other.last or 0)
        return self.parties - other.parties, first, last


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
        line, epoch, generation, *_ = _keys(booking.event_id)
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
                line, epoch, *_ = _keys(event_id)
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


def rebuild(event_id: UUID, *, version: int, line: Iterable[tuple[UUID, int]]) -> Length | None:
    """Make the mirror anew from the rows. What is followed meanwhile is noted, and is in the new one as well;
    of two who make one at a time the later does.

    Args:
        version: of the event's row as it was read before the line.
        line: the bookings that wait, and their numbers; to be read only when it is iterated over.

    Returns what the old one said, if it was believed and the new one says something else.

    Raises:
        Away
    """
    maker, parties = uuid4().hex, iter(line)
    keys = _keys(event_id)
    fresh = f"{keys[0]}:fresh:{maker}"

    def fill(client):
        with client.pipeline() as pipe:
            pipe.set(keys[3], maker, ex=MAKING)
            pipe.delete(keys[4])
            pipe.execute()
        while page := dict(islice(((str(booking), number) for booking, number in parties), AT_ONCE)):
            with client.pipeline() as pipe:
                pipe.zadd(fresh, page)
                pipe.expire(fresh, MAKING)
                pipe.execute()

    SEATS.call(fill)
    was = SEATS.run(LINE_ANEW, [*keys, fresh], [maker, version, KEPT])
    return was and Length(was[0], *(int(float(number)) if number else None for number in was[1:]))


def _keys(event_id: UUID) -> list[str]:
    """The line, its epoch, the generation; who makes it anew, and what they must not miss."""
    line = f"event:{event_id}:waitlist"
    return [line, f"{line}:epoch", GENERATION, f"{line}:maker", f"{line}:noted"]


def _number(ends: list) -> int | None:
    return int(ends[0][1]) if ends else None
