"""Compares what is derived from the seats booked with them, and mends what differs.

The truth is `booking_seats`; it is counted and never touched. PostgreSQL keeps `available_slots` and the free
runs in the transaction that books, so a difference there is a fault, mended under the event's lock. Redis
follows behind, and the counter lacks the seats of requests under way: only what differs by as much at a
second look is a drift, and it is mended only if the counter still says what was seen.

What fails with one event is told, and keeps no other from being mended; nor does Redis, if it is away.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.core.cache import cache
from django.db import connection, transaction

from bookings import checks, counts, free_runs, queue_mirror, seat_counter
from bookings.models import BookingHistory, EventTotals
from bookings.proof import Proof, proofs, with_redis
from events.models import Event
from orgs.breaker import Away

SECOND_LOOK = 1.0  # seconds between the looks at Redis
AT_ONCE = 500  # events
LATELY = timedelta(hours=1)  # what is looked at where Redis cannot say where anything happens
LAST_CHECK = "bookings.reconcile.last_check"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Drift:
    """One number that is not what the seats booked, or the bookings that wait, say."""

    event_id: UUID
    what: str  # available_slots, free_runs, misplaced_runs, counter or queue
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
    failed: list[UUID] = field(default_factory=list)  # events that could not be mended, as the log says why
    redis_is_away: bool = False

    @property
    def is_clean(self) -> bool:
        return all(drift.mended for drift in self.drifts) and not self.failed and not self.redis_is_away


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
    ids = list(event_ids if event_ids is not None else _busy(report, now=now))
    for start in range(0, len(ids), AT_ONCE):
        _compare(ids[start : start + AT_ONCE], report, now=now, mend=not dry_run, second_look=second_look)
    for drift in report.drifts:
        if not dry_run:
            counts.DRIFT.labels(drift.what, "yes" if drift.mended else "no").inc(abs(drift.size))
        logger.warning(
            "%s of event %s was %d and should be %d%s.",
            *(drift.what, drift.event_id, drift.was, drift.should_be, "; mended" if drift.mended else ""),
        )
    is_whole = event_ids is None and not report.redis_is_away
    if is_whole and not dry_run:
        drifted = sum(abs(drift.size) for drift in report.drifts)
        cache.set(LAST_CHECK, {"at": now.isoformat(), "events": report.looked_at, "drift": drifted}, None)
    return report


def begin_counters(event_ids: Iterable[UUID]) -> int:
    """Begin the counters of these events where there is none that is believed, without waiting for somebody
    to book; returns how many were begun.

    Raises:
        Away: of `orgs.breaker`.
    """
    found = with_redis(proofs(list(event_ids)))
    missing = [proof for proof in found if not proof.counted or not proof.counted.is_current]
    return sum(_begin_counter(proof) for proof in missing)


def _begin_counter(proof: Proof) -> bool:
    return seat_counter.mend(proof.event, left=proof.due_counter, seen=proof.counter)


def _busy(report: Report, *, now: datetime) -> set[UUID]:
    """The events that have a counter, and those with a line that is not mirrored or of another length;
    without Redis those with a line, and where somebody booked lately."""
    waiting = dict(
        EventTotals.objects.filter(waiting_bookings__gt=0).values_list("event_id", "waiting_bookings")
    )
    try:
        mirrors = queue_mirror.read(list(waiting))
        off = {pk for pk, mirror in mirrors.items() if not mirror or mirror.parties != waiting[pk]}
        return off.union(seat_counter.counted())
    except Away:
        report.redis_is_away = True
        lately = BookingHistory.objects.filter(created_at__gte=now - LATELY, event_id__isnull=False)
        return {*waiting, *lately.order_by().values_list("event_id", flat=True).distinct()}


def _compare(ids: list[UUID], report: Report, *, now: datetime, mend: bool, second_look: float) -> None:
    page, known = proofs(ids), len(report.drifts)
    report.looked_at += len(page)
    for proof in page:
        _in_postgresql(proof, report, mend=mend)
    try:
        page = with_redis(page)
        if mend:
            _drop_what_is_over(ids, page, now=now)
        _in_redis(page, report, mend=mend, second_look=second_look)
        if mend:
            off = {drift.event_id for drift in report.drifts[known:]}
            checks.note([proof.event.pk for proof in page], off=off, now=now)
    except Away:
        report.redis_is_away = True


def _in_postgresql(proof: Proof, report: Report, *, mend: bool) -> None:
    event = proof.event
    for what, was, should_be, make_good in _differences(proof):
        mended = mend and _succeeds(lambda: make_good(event), event, report)  # noqa: B023 - called at once
        report.drifts.append(Drift(event.pk, what, was, should_be, mended))


def _differences(proof: Proof) -> Iterator[tuple[str, int, int, Callable[[Event], None]]]:
    if proof.event.available_slots != proof.left:
        yield "available_slots", proof.event.available_slots, proof.left, _recount
    if proof.in_free_runs not in (None, proof.left):
        yield "free_runs", proof.in_free_runs, proof.left, _make_runs_anew
    elif proof.misplaced_runs:
        yield "misplaced_runs", proof.misplaced_runs, 0, _make_runs_anew


def _recount(event: Event) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT recount_event_available_slots(%s)", [event.pk])


def _make_runs_anew(event: Event) -> None:
    with transaction.atomic():
        free_runs.rebuild(Event.objects.lock(event.pk))


def _in_redis(page: list[Proof], report: Report, *, mend: bool, second_look: float) -> None:
    first = {proof.event.pk: proof for proof in page if proof.redis_is_behind}
    if not first:
        return
    time.sleep(second_look)
    for proof in with_redis(proofs(list(first))):
        _mend_counter(proof, first[proof.event.pk], report, mend=mend)
        _mend_mirror(proof, first[proof.event.pk], report, mend=mend)


def _mend_counter(proof: Proof, earlier: Proof, report: Report, *, mend: bool) -> None:
    """A counter that moves meanwhile is not mended, and no drift: people book. The next check looks again."""
    off = proof.counter_is_off_by
    if off and off == earlier.counter_is_off_by:
        if not mend or _begin_counter(proof):
            report.drifts.append(Drift(proof.event.pk, "counter", proof.counter, proof.due_counter, mend))
    elif mend and proof.terms_are_off and earlier.terms_are_off and _begin_counter(proof):
        logger.info("The counter of event %s begins anew, on the terms of now.", proof.event.pk)


def _mend_mirror(proof: Proof, earlier: Proof, report: Report, *, mend: bool) -> None:
    off, event = proof.mirror_is_off_by, proof.event
    if not off or off != earlier.mirror_is_off_by:
        return
    was, mended = proof.mirror, False
    if mend:
        anew: list[queue_mirror.Length | None] = []
        mended = _succeeds(lambda: anew.append(_mirror_anew(event)), event, report)
        [was] = anew or [was]
    if was:
        report.drifts.append(Drift(event.pk, "queue", was.parties, event.waiting, mended))


def _mirror_anew(event: Event) -> queue_mirror.Length | None:
    line = event.bookings.waiting().order_by("waiting_number").values_list("pk", "waiting_number")
    numbers = line.iterator(chunk_size=queue_mirror.AT_ONCE)
    return queue_mirror.rebuild(event.pk, version=event.version, line=numbers)


def _drop_what_is_over(ids: list[UUID], page: list[Proof], *, now: datetime) -> None:
    """Drop the counters of events that are no more or cannot be booked any more, and what is left of those
    that have expired. The counter of a cancelled event stays, at none, until it expires."""
    over = set(ids) - {proof.event.pk for proof in page}
    for proof in page:
        event = proof.event
        is_over = not event.is_cancelled and (event.is_final or now >= event.closes_at)
        if proof.counted is None or (is_over and not proof.counter_is_off_by):
            over.add(event.pk)
    seat_counter.drop(list(over))


def _succeeds(make_good: Callable[[], object], event: Event, report: Report) -> bool:
    """Whether one event could be mended; if not, the others shall be all the same."""
    try:
        make_good()
    except Away:
        raise
    except Event.DoesNotExist:
        logger.info("Event %s is no more.", event.pk)
    except Exception:
        logger.exception("Event %s could not be mended.", event.pk)
        report.failed.append(event.pk)
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
        return False
    return True
