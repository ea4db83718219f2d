"""When each job of the timetable last ran, and how it ended: written by `RecordedTask`, judged for `doctor`.

A job is late when it has not ended well for three times its schedule and a minute. One that was never seen
is counted from the first record of any job, so a timetable that nobody has begun to work is not late.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from happening.celery import app
from orgs.models import JobRun

MISSED = 3  # schedules in a row
GRACE = timedelta(minutes=1)


@dataclass(frozen=True)
class Late:
    """A job, since when it has not ended well, and how often it is to run."""

    job: str
    since: datetime
    every: timedelta


def begin(job: str, *, now: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO job_runs (job, started_at) VALUES (%s, %s) "
            "ON CONFLICT (job) DO UPDATE SET started_at = excluded.started_at",
            [job, now],
        )


def end(job: str, outcome: JobRun.Outcome, *, now: datetime) -> None:
    ended = {"finished_at": now, "outcome": outcome}
    if outcome == JobRun.Outcome.DONE:
        ended["done_at"] = now
    JobRun.objects.filter(job=job).update(**ended)


def late(*, now: datetime) -> list[Late]:
    """The jobs that are late, in the order of the timetable."""
    runs = {run.job: run for run in JobRun.objects.all()}
    if not runs:
        return []
    begun = min(run.created_at for run in runs.values())
    found = []
    for job, entry in app.conf.beat_schedule.items():
        run = runs.get(job)
        since = (run.done_at or run.created_at) if run else begun
        every = timedelta(seconds=entry["schedule"])
        if now - since > MISSED * every + GRACE:
            found.append(Late(job, since, every))
    return found
