"""The lines of people who wait, and whether what is derived from seats agrees with them."""

from collections.abc import Iterator
from datetime import datetime

from django.core.cache import cache
from django.db import connection
from django.utils import timezone
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from bookings.reconcile import LAST_CHECK


def lines() -> Iterator[Metric]:
    """Of all events together: by event they would be as many series as events."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), coalesce(sum(waiting_bookings), 0), coalesce(sum(waiting_seats), 0), "
            "coalesce(max(waiting_bookings), 0) FROM event_totals WHERE waiting_bookings > 0"
        )
        events, parties, seats, longest = cursor.fetchone()
    yield GaugeMetricFamily("happening_waiting_events", "Events with a line.", value=events)
    yield GaugeMetricFamily("happening_waiting_parties", "Parties that wait.", value=parties)
    yield GaugeMetricFamily("happening_waiting_seats", "Seats that they wait for.", value=seats)
    yield GaugeMetricFamily(
        "happening_waiting_longest", "Parties in the longest line of an event.", value=longest
    )


def jobs_of_events() -> Iterator[Metric]:
    """What events owe: lines to settle, cancellations, changes to tell of, reminders."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT kind, count(*), min(due_at) FROM event_jobs "
            "WHERE finished_at IS NULL AND due_at <= now() GROUP BY kind"
        )
        found = cursor.fetchall()
    due = GaugeMetricFamily("happening_event_jobs_due", "Jobs of events that are due.", labels=["kind"])
    age = GaugeMetricFamily(
        "happening_event_jobs_oldest_seconds", "How long the oldest has been due.", labels=["kind"]
    )
    for kind, count, oldest in found:
        due.add_metric([kind], count)
        age.add_metric([kind], (timezone.now() - oldest).total_seconds())
    yield from (due, age)


def last_check() -> Iterator[Metric]:
    """What `reconcile_slots` found when it last looked; nothing where it never has."""
    last = cache.get(LAST_CHECK)
    if last is None:
        return
    age = (timezone.now() - datetime.fromisoformat(last["at"])).total_seconds()
    yield GaugeMetricFamily("happening_slot_check_age_seconds", "Since slots were last compared.", value=age)
    yield GaugeMetricFamily("happening_slot_check_events", "Events compared then.", value=last["events"])
    yield GaugeMetricFamily("happening_slot_drift_seats", "Seats found wrong then.", value=last["drift"])
