"""When each job of the timetable last ran, and how it ended: written by `RecordedTask`, judged by `late`.

`late(now=)` is the one rule: the doctor, the page of the platform's staff and the metrics all read it. A job
is late when it has not ended well for as long as its line of the timetable says (`Job.late_after`). One that
was never seen is counted from the first record of any job, so a timetable that nobody has begun to work is
not late.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from happening.celery import TIMETABLE, Job
from orgs.models import JobRun


@dataclass(frozen=True)
class Standing:
    """A job, its line of the timetable, and its last run, None where it was never seen. `since`: when it last
    ended well, or from when that is counted."""

    job: str
    line: Job
    run: JobRun | None
    since: datetime | None
    is_late: bool

    @property
    def every(self) -> timedelta:
        return timedelta(seconds=max(self.line.every, self.line.rests))


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


def rests(job: str, *, now: datetime) -> bool:
    """Whether it was done so lately that it has nothing to do yet."""
    pause = timedelta(seconds=TIMETABLE[job].rests)
    return bool(pause) and JobRun.objects.filter(job=job, done_at__gt=now - pause, done_at__lte=now).exists()


def standings(*, now: datetime) -> list[Standing]:
    """Every job, in the order of the timetable; one query."""
    runs = {run.job: run for run in JobRun.objects.all()}
    begun = min((run.created_at for run in runs.values()), default=None)
    return [_standing(job, line, runs.get(job), begun, now=now) for job, line in TIMETABLE.items()]


def late(*, now: datetime) -> list[Standing]:
    """The jobs that are late."""
    return [standing for standing in standings(now=now) if standing.is_late]


def _standing(job: str, line: Job, run: JobRun | None, begun: datetime | None, *, now: datetime) -> Standing:
    since = (run.done_at or run.created_at) if run else begun
    is_late = since is not None and now - since > timedelta(seconds=line.late_after)
    return Standing(job, line, run, since, is_late)
