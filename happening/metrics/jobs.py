"""The timetable: when each job last ended well, and whether it is late."""

from collections.abc import Iterator

from django.utils import timezone
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from happening import job_runs
from orgs.models import JobRun


def jobs() -> Iterator[Metric]:
    now = timezone.now()
    age = GaugeMetricFamily(
        "happening_job_age_seconds", "Since the job last ended well; none where it never has.", labels=["job"]
    )
    every = GaugeMetricFamily("happening_job_schedule_seconds", "How often it is to run.", labels=["job"])
    is_late = GaugeMetricFamily("happening_job_late", "Whether it is late.", labels=["job"])
    has_failed = GaugeMetricFamily("happening_job_failed", "Whether its last run failed.", labels=["job"])
    for standing in job_runs.standings(now=now):
        name, run = [standing.job], standing.run
        if run and run.done_at:
            age.add_metric(name, (now - run.done_at).total_seconds())
        every.add_metric(name, standing.every.total_seconds())
        is_late.add_metric(name, float(standing.is_late))
        has_failed.add_metric(name, float(bool(run) and run.outcome == JobRun.Outcome.FAILED))
    yield from (age, every, is_late, has_failed)
