"""The seats left of an event, counted in Redis: it refuses quickly, and grants nothing.

`event:<id>:slots` is the seats left less those that requests under way have set aside. A request claims its
seats before its transaction begins and gives back what it did not get; whatever else changes the seats left
is followed once it has been committed. Where there is no counter, or Redis is away, PostgreSQL alone decides.

`event:<id>:epoch` says which state of the event's row the counter began with (`version`), so that a change is
counted once whatever overtakes it, and by a stamp which claims it knows of. A counter of an older generation
(`bookings.seats_side`) counts as missing and begins anew from the next transaction. What a crash left wrong
is found and mended by `bookings.reconcile`.

`event:<id>:under_way` is how many of the seats set aside are neither booked nor given back yet. Who could
have those is not refused here. It goes `UNDER_WAY` seconds after the last claim, so that what a killed
process had claimed does not count for ever.

A form that came before is known by its mark and never refused here, so that whoever sends it again gets the
booking that it made. Marks are lost with Redis: a counter that begins in one that has forgotten the event's
earlier counter, though the event has bookings, refuses nobody for `DOUBT`. One that begins where others were
remembered refuses nobody until every process has made up for the marks it could not make.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings

from bookings import settled, unmarked
from bookings.seats_side import DOUBTED, GENERATION, KEPT, LUA, RUN, SEATS
from events.models import Event
from orgs.breaker import Away
from orgs.models import Organization
from orgs.redis_side import Script

DOUBT = 60  # seconds in which people send a form again that they had no answer to
CLAIM, GIVE_BACK, FOLLOW, MEND = (
    Script(LUA / f"{name}.lua", once=True) for name in ("claim", "give_back", "follow", "mend")
)
COUNTED = f"seats:counted:{settings.REDIS_KEY_PREFIX}"  # which events have a counter

logger = logging.getLogger(__name__)


class CounterRefuses(Exception):
    """There are fewer seats than were asked for, and nothing to wait for: PostgreSQL need not be asked."""

    def __init__(self, *, left: int):
        self.left = left
        super().__init__(f"{left} seats are left.")


@dataclass(frozen=True)
class Claim:
    """Seats set aside for one request; none where the counter could not be asked or has to be begun.

    `failures`: of Redis as this process knew them when the seats were set aside.
    """

    event_id: UUID
    key: UUID | None = None
    seats: int = 0
    stamp: str = ""
    failures: int = 0
    is_counted: bool = True  # False: there is no counter yet

    @property
    def is_lost(self) -> bool:
        """Whether Redis has failed since: it may not know of these seats any more."""
        return self.seats > 0 and self.failures != SEATS.breaker.failures

    def give_back(self, *, forgets_form: bool = False) -> None:
        """Return the seats; `forgets_form`: it is certain that the form booked nothing, so that it may be
        refused when it comes again."""
        if not self.seats and not (forgets_form and self.key):
            return
        keys = [*_keys(self.event_id)[:3], _mark(self.event_id, self.key)]
        try:
            SEATS.run(GIVE_BACK, keys, [self.seats, self.stamp, int(forgets_form)])
        except Away:
            logger.info(
                "Claimed seats of event %s could not be given back; they will be mended.", self.event_id
            )

    def settle(self) -> None:
        """The seats have been booked: they are not coming back."""
        if self.seats:
            settled.note(self.event_id, stamp=self.stamp, seats=self.seats)


def claim(
    event_id: UUID, *, seats: int, key: UUID | None, now: datetime, highest: int = 0, looks_only: bool = False
) -> Claim:
    """Set `seats` aside before PostgreSQL is asked. A form (`key`) that came before is never refused here.

    Args:
        highest: of the seats asked for by number.
        looks_only: set nothing aside, and only hear whether that would be refused.

    Raises:
        CounterRefuses: there are fewer, for certain and with nothing to wait for.
    """
    failures = SEATS.breaker.failures
    stamp, booked = settled.take(event_id)
    keys = [*_keys(event_id)[:4], _mark(event_id, key)]
    facts = [seats, _milliseconds(now), KEPT if key else 0, highest, int(looks_only)]
    facts += [booked, stamp, settled.UNDER_WAY]

    def misses() -> None:
        if key and not looks_only:
            unmarked.note(_mark(event_id, key))

    try:
        verdict, *said = SEATS.run(CLAIM, keys, facts, misses=misses, looks_only=looks_only)
    except Away:
        return Claim(event_id)
    match verdict:
        case b"claimed":
            return Claim(event_id, key, seats, said[0].decode(), failures)
        case b"refused":
            raise CounterRefuses(left=max(said[0], 0))
        case b"missing" if not looks_only:
            return Claim(event_id, key, is_counted=False)
        case b"doubtful" if not looks_only:
            return Claim(event_id, key)
    return Claim(event_id)


def follow(event: Event, *, change: int, left: int, has_changed: bool = True) -> None:
    """Follow a transaction that has been committed.

    Args:
        event: as the transaction found and locked it, with what it changed.
        change: of the seats left, without what claims had set aside already.
        left: seats left when it ended.
        has_changed: whether it wrote the event's row, which counts up its version.
    """
    if event.is_cancelled:
        change, left = 0, 0
    stands = event.version + has_changed
    doubt = _doubt(is_new=event.available_slots == event.total_slots)
    arguments = [str(event.pk), event.version, stands, change, left, KEPT, doubt, *_terms(event)]
    try:
        SEATS.run(FOLLOW, _keys(event.pk), arguments)
    except Away:
        logger.info("The counter of event %s could not follow; it begins anew when Redis is back.", event.pk)


def forget(*event_ids: UUID) -> None:
    """Have counters begin anew, since the terms on which they refuse have changed. Their epochs stay: they
    say what has been followed, and that no form was lost."""
    gone = [f"event:{event_id}:{name}" for event_id in event_ids for name in ("slots", "under_way")]
    if not gone:
        return
    try:
        SEATS.call(lambda client: client.delete(*gone))
    except Away:
        logger.info("Counters could not be dropped, of event %s; they will be mended.", event_ids)


def stop(event: Event) -> None:
    """Set the counter of an event that has been cancelled to none, for good."""
    forget(event.pk)
    follow(event, change=0, left=0)


def mend(event: Event, *, left: int, seen: int | None) -> bool:
    """Set the counter to what is `left` by `event` as it was just read, if it still is what was `seen`.

    Raises:
        Away
    """
    seen = "" if seen is None else seen
    doubt = _doubt(is_new=left == event.total_slots)
    arguments = [str(event.pk), event.version, left, seen, KEPT, doubt, *_terms(event)]
    return bool(SEATS.run(MEND, _keys(event.pk), arguments))


@dataclass(frozen=True)
class Counter:
    """What Redis says of an event.

    `is_current`: a claim believes it. One of an older generation nobody believes, but whoever else looks at
    the key would, so a wrong one is to be mended.
    """

    slots: int
    is_current: bool
    terms: list[int] | None

    def refuses_as(self, event: Event) -> bool:
        """Whether its refusal is final for whom the event would have it be; see `_terms`."""
        return not self.is_current or self.terms == _terms(event)


def read(event_ids: list[UUID]) -> dict[UUID, Counter | None]:
    """What the counters say; None where there is none.

    Raises:
        Away
    """

    def ask(client):
        with client.pipeline(transaction=False) as pipe:
            pipe.get(GENERATION)
            for event_id in event_ids:
                slots, epoch, *_ = _keys(event_id)
                pipe.get(slots)
                pipe.hmget(epoch, "generation", "refuses_until", "largest", "highest")
            return pipe.execute()

    if not event_ids:
        return {}
    generation, *said = SEATS.call(ask)
    counters = {}
    for event_id, slots, (of, *terms) in zip(event_ids, said[::2], said[1::2], strict=True):
        is_number = slots is not None and slots.lstrip(b"-").isdigit()
        terms = [int(each) for each in terms] if all(terms) else None
        is_current = of == (generation or b"0")
        counters[event_id] = Counter(int(slots), is_current, terms) if is_number else None
    return counters


def counted() -> Iterator[UUID]:
    """The events that have, or lately had, a counter.

    Raises:
        Away
    """
    for member in SEATS.call(lambda client: list(client.sscan_iter(COUNTED, count=1_000))):
        yield UUID(member.decode())


def drop(event_ids: list[UUID]) -> None:
    """Drop the counters of events and take them off the list of those that have one; who follows in between
    begins one, and it is listed.

    Raises:
        Away
    """

    def ask(client):
        with client.pipeline() as pipe:
            pipe.srem(COUNTED, *map(str, event_ids))
            pipe.delete(*(_keys(event_id)[0] for event_id in event_ids))
            pipe.execute()

    if event_ids:
        SEATS.call(ask)


def _terms(event: Event) -> list[int]:
    """When the counter's refusal is all there is to say: until when (ms), of parties how large, and of seats
    up to which. There must be no line to stand in, and the event be one that anybody may know of; its
    `org_status` is read along with its row."""
    is_open = event.is_published and not event.is_final and event.org_status == Organization.Status.ACTIVE
    is_known = event.visibility != Event.Visibility.MEMBERS
    until = _milliseconds(event.closes_at) if is_open and is_known and not event.waitlist else 0
    return [until, min(event.max_seats_per_booking, event.total_slots), event.total_slots]


def _doubt(*, is_new: bool) -> int:
    """For how long a counter that begins refuses nobody, where Redis has forgotten."""
    return 0 if is_new else DOUBT


def _keys(event_id: UUID) -> list[str]:
    of_event = [f"event:{event_id}:{name}" for name in ("slots", "epoch", "under_way")]
    return [*of_event, GENERATION, COUNTED, RUN, DOUBTED]


def _mark(event_id: UUID, key: UUID | None) -> str:
    return f"event:{event_id}:form:{key}"


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000)
