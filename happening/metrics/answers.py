"""Everything that /metrics tells, as prometheus_client collects it."""

import logging
import time
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.db import connection
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from happening.metrics import brokers, database, jobs, lines, redis, telling
from happening.metrics.sources import Source, is_up
from orgs.counting import together

PATIENCE = 4.0  # seconds for all sources together: less than Prometheus has
KINDS = ("web", "live", "worker", "beat", "sender")


def _postgresql(questions: dict, *, kept: float) -> Source:
    return Source(questions, kept=kept, wrap=database.within_limits, close=lambda: connection.close())


SOURCES = (
    _postgresql(
        {
            "notifications": telling.backlog,
            "lines": lines.lines,
            "event_jobs": lines.jobs_of_events,
            "jobs": jobs.jobs,
            "database": database.server,
            "database_sessions": database.sessions,
        },
        kept=10,
    ),
    _postgresql(
        {
            "notifications_last_hour": telling.last_hour,
            "database_tables": database.tables,
            "database_indexes": database.indexes,
            "database_statements": database.statements,
        },
        kept=60,
    ),
    Source({"redis": redis.server, "slot_check": lines.last_check}, kept=10),
    Source({"queues": brokers.queues}, kept=10),
)
logger = logging.getLogger(__name__)


def collect() -> Iterator[Metric]:
    until = time.monotonic() + PATIENCE
    for source in SOURCES:
        source.ask()
    seen: dict[str, Metric] = {}
    for metric in _each(until):
        if metric.name in seen:
            seen[metric.name].samples.extend(metric.samples)
        else:
            seen[metric.name] = metric
    yield from seen.values()


def describe() -> list[Metric]:
    """Nothing is known before services were asked, and nothing of the kind is needed."""
    return []


def _each(until: float) -> Iterator[Metric]:
    yield from _counted()
    for source in SOURCES:
        yield from source.answers(until=until)


def _counted() -> Iterator[Metric]:
    """What processes have counted, and how many of each kind there are."""
    try:
        metrics, kinds = together.read(Path(settings.METRICS_DIR))
    except (OSError, RuntimeError) as error:  # not there, not ours, or damaged
        logger.warning("No figures of processes: %s", error)
        yield is_up("processes", False)
        return
    yield is_up("processes", True)
    yield from metrics
    words = "Processes that live, on this machine."
    processes = GaugeMetricFamily("happening_processes", words, labels=["kind"])
    for kind in KINDS:
        processes.add_metric([kind], kinds[kind])
    yield processes
