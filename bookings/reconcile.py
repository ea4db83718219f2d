"""Compares what is derived from the seats booked with them, and mends what differs.

The truth is `booking_seats`; it is counted and never touched. PostgreSQL keeps `available_slots` and the free
runs in the transaction that books, so a difference there is a fault, mended under the event's lock. Redis
follows behind, and the counter lacks the seats of requests under way: only what differs by as much at a
second look is a drift, and it is mended only if the counter still says what was seen.
"""

import logging
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.core.cache import cache
from django.db import connection, transaction

from bookings import counts, free_runs, queue_mirror, seat_counter
from bookings.models import EventTotals
from bookings.proof import Proof, proofs, with_redis
from events.models import Event
from orgs.breaker import Away

SECOND_LOOK = 1.0  # seconds between the looks at Redis
AT_ONCE = 500  # events
LAST_CHECK = "bookings.reconcile.last_check"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Drift:
    """One number that is not what the seats booked, or the bookings that wait, say."""

    event_id: UUID
    what: str  # available_slots, free_runs, counter or queue
    was: int
    should_be: int
    mended: bool

    @property
    def size(self) -> int:
        return self.was - self.should_be


@dataclass
class Report:
    looked_at: int = 0
    drifts: list[Drift] = field(default_factory=list)
    redis_is_away: bool = False

    @property
    def is_clean(self) -> bool:
        return all(drift.mended for drift in self.drifts) and not self.redis_is_away


def reconcile(
    *,
    now: datetime,
    event_ids: Iterable[UUID] | None = None,
    dry_run: bool = False,
    second_look: float = SECOND_LOOK,
) -> Report:
    """Compare events, and mend what is derived.

    Args:
        event_ids: which; None for those that have a counter or a line, which is where anything happens.
        dry_run: look only.
        second_look: seconds.
    """
    report = Report()
    ids = list(event_ids if event_ids is not None else _busy(report))
    for start in range(0, len(ids), AT_ONCE):
        page = proofs(ids[start : start + AT_ONCE])
        report.looked_at += len(page)
        report.drifts += [drift for proof in page for drift in _in_postgresql(proof, mend=not dry_run)]
        try:
            report.drifts += _in_redis(page, mend=not dry_run, second_look=second_look)
            if not dry_run:
                _forget(set(ids[start : start + AT_ONCE]) - {proof.event.pk for proof in page})
        except Away:
            report.redis_is_away = True
    for drift in report.drifts:
        counts.DRIFT.labels(drift.what, "yes" if drift.mended else "no").inc(abs(drift.size))
        logger.warning(
            "%s of event %s was %d and should be %d%s.",
            *(drift.what, drift.event_id, drift.was, drift.should_be, "; mended" if drift.mended else ""),
        )
    if not dry_run:
        drifted = sum(abs(drift.size) for drift in report.drifts)
        cache.set(LAST_CHECK, {"at": now.isoformat(), "events": report.looked_at, "drift": drifted}, None)
    return report


def begin_counters(event_ids: Iterable[UUID]) -> int:
    """Begin the counters of these events where there is none, without waiting for somebody to book; returns
    how many were begun.

    Raises:
        Away: of `orgs.breaker`.
    """
    found = with_redis(proofs(list(event_ids)))
    missing = [proof for proof in found if proof.counter is None]
    return sum(seat_counter.mend(proof.event, left=proof.due_counter, seen=None) for proof in missing)


def _busy(report: Report) -> set[UUID]:
    """The events that have a counter, and those with a line that is not mirrored or of another length."""
    waiting = dict(
        EventTotals.objects.filter(waiting_bookings__gt=0).values_list("event_id", "waiting_bookings")
    )
    try:
        mirrors = queue_mirror.read(list(waiting))
        off = {pk for pk, mirror in mirrors.items() if not mirror or mirror.parties != waiting[pk]}
        return off.union(seat_counter.counted())
    except Away:
        report.redis_is_away = True
        return set()


def _in_postgresql(proof: Proof, *, mend: bool) -> Iterator[Drift]:
    event = proof.event
    if event.available_slots != proof.left:
        if mend:
            with connection.cursor() as cursor:
                cursor.execute("SELECT recount_event_available_slots(%s)", [event.pk])
        yield Drift(event.pk, "available_slots", event.available_slots, proof.left, mended=mend)
    if proof.in_free_runs not in (None, proof.left):
        if mend:
            with transaction.atomic():
                free_runs.rebuild(Event.objects.lock(event.pk))
        yield Drift(event.pk, "free_runs", proof.in_free_runs, proof.left, mended=mend)


def _in_redis(page: list[Proof], *, mend: bool, second_look: float) -> list[Drift]:
    first = {proof.event.pk: proof for proof in _suspect(with_redis(page))}
    if not first:
        return []
    time.sleep(second_look)
    drifts = []
    for proof in _suspect(with_redis(proofs(list(first)))):
        event, earlier = proof.event, first[proof.event.pk]
        off = proof.counter_is_off_by
        if off and off == earlier.counter_is_off_by:
            mended = mend and seat_counter.mend(event, left=proof.due_counter, seen=proof.counter)
            drifts.append(Drift(event.pk, "counter", proof.counter, proof.due_counter, mended))
        if proof.mirror_is_off and earlier.mirror_is_off:
            if mend:
                _mirror_anew(event)
            if proof.mirror:
                drifts.append(Drift(event.pk, "queue", proof.mirror.parties, event.waiting, mended=mend))
    return drifts


def _suspect(page: list[Proof]) -> list[Proof]:
    return [proof for proof in page if proof.counter_is_off_by or proof.mirror_is_off]


def _mirror_anew(event: Event) -> None:
    line = event.bookings.waiting().order_by("waiting_number").values_list("pk", "waiting_number")
    numbers = line.iterator(chunk_size=queue_mirror.AT_ONCE)
    queue_mirror.rebuild(event.pk, version=event.version, line=numbers)


def _forget(gone: set[UUID]) -> None:
    """Drop the counters of events that are no more."""
    for event_id in gone:
        seat_counter.forget(event_id)
    seat_counter.drop(list(gone))
