"""How telling people goes."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta

from django.db import connection
from django.utils import timezone
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from notifications import figures

WINDOW = timedelta(hours=1)
ORGANIZATIONS = 50  # with most messages get a line of their own; the rest are one
OTHERS, NOBODY = "(others)", "(none)"


def backlog() -> Iterator[Metric]:
    now = timezone.now()
    found = figures.backlog(now=now)
    waiting = GaugeMetricFamily(
        "happening_notifications", "Messages that are not delivered, up to 100,000.", labels=["state"]
    )
    for state in ("pending", "due", "sent", "failed"):
        waiting.add_metric([state], getattr(found, state))
    yield waiting
    oldest = GaugeMetricFamily(
        "happening_notifications_oldest_seconds", "How long the oldest has been due.", labels=["state"]
    )
    oldest.add_metric(["due"], found.oldest_due_seconds)
    oldest.add_metric(["sent"], found.oldest_sent_seconds)
    yield oldest
    yield from _account_mail(now)


def last_hour() -> Iterator[Metric]:
    """By type and organization: a window rather than counters, since organizations come by the thousand."""
    lines = figures.by_type_and_organization(since=timezone.now() - WINDOW)
    sizes = defaultdict(int)
    for line in lines:
        sizes[line.organization] += line.total
    named = set(sorted(sizes, key=sizes.get, reverse=True)[:ORGANIZATIONS])
    sums = defaultdict(int)
    for line in lines:
        organization = (line.organization or NOBODY) if line.organization in named else OTHERS
        for state in ("delivered", "failed", "under_way", "superseded"):
            sums[line.type, organization, state] += getattr(line, state)
    metric = GaugeMetricFamily(
        "happening_notifications_last_hour",
        "Messages owed in the last hour (the newest 100,000), by what became of them.",
        labels=["type", "organization", "state"],
    )
    for labels, count in sums.items():
        metric.add_metric(labels, count)
    yield metric


def _account_mail(now) -> Iterator[Metric]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FILTER (WHERE status = 'pending'), count(*) FILTER (WHERE status = 'failed'), "
            "min(created_at) FILTER (WHERE status = 'pending') FROM account_mails WHERE status <> 'sent'"
        )
        pending, failed, oldest = cursor.fetchone()
    metric = GaugeMetricFamily(
        "happening_account_mail", "Mail about accounts that is not sent.", labels=["state"]
    )
    metric.add_metric(["pending"], pending)
    metric.add_metric(["failed"], failed)
    yield metric
    age = (now - oldest).total_seconds() if oldest else 0
    words = "How long the oldest mail about an account has waited."
    yield GaugeMetricFamily("happening_account_mail_oldest_seconds", words, value=max(0, age))
