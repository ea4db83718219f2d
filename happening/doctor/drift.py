"""Whether what is derived, in PostgreSQL and in Redis, says what the seats booked say; and whether anybody
compares them."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.core.cache import cache
from django.utils import timezone

from bookings.reconcile import LAST_CHECK, reconcile
from bookings.seat_counter import counted
from happening.doctor.finding import Finding, unknown
from happening.doctor.words import several
from orgs.durations import briefly

SHOWN = 5
COMPARED_WITHIN = timedelta(minutes=5)


def look() -> Iterator[Finding]:
    """A dry run of `reconcile_slots`: it looks twice at what may only be under way."""
    report = reconcile(now=timezone.now(), dry_run=True)
    if report.redis_is_away:
        yield unknown("Drift", "Redis does not answer in time, so its counters could not be compared")
    for drift in report.drifts[:SHOWN]:
        yield Finding(
            "Drift",
            f"{drift.what} of event {drift.event_id} is {drift.was:,} and should be {drift.should_be:,}",
            f"Run `python manage.py reconcile_slots {drift.event_id}`.",
        )
    if (more := len(report.drifts) - SHOWN) > 0:
        mend = "Run `python manage.py reconcile_slots --all`."
        yield Finding("Drift", f"{several(more, 'difference')} more", mend)
    if not report.drifts and not report.redis_is_away:
        yield Finding("Drift", f"none in {several(report.looked_at, 'busy event')}")


def counters() -> Iterator[Finding]:
    """How many events have a counter, and when they were last compared; the first booking begins one."""
    events = sum(1 for _ in counted())
    last = cache.get(LAST_CHECK)
    says = several(events, "event has one", "events have one")
    if not last:
        yield Finding("Counters", f"{says}; not compared yet")
        return
    ago = timezone.now() - datetime.fromisoformat(last["at"])
    mend = "Start a worker and beat: they compare every 20 s." if events and ago > COMPARED_WITHIN else ""
    yield Finding("Counters", f"{says}; last compared {briefly(ago)} ago", mend)
