"""Celery's task, that leaves a record of its last run where it stands in the timetable.

What is called directly, and by no worker, leaves none.
"""

from celery import Task
from django.utils import timezone


class RecordedTask(Task):
    abstract = True

    def __call__(self, *args, **kwargs):
        from happening import job_runs  # only now: models are not there yet when Celery loads this class
        from orgs.models import JobRun

        job = self._job()
        if job is None or self.request.called_directly:
            return super().__call__(*args, **kwargs)
        job_runs.begin(job, now=timezone.now())
        try:
            result = super().__call__(*args, **kwargs)
        except Exception:
            job_runs.end(job, JobRun.Outcome.FAILED, now=timezone.now())
            raise
        job_runs.end(job, JobRun.Outcome.DONE, now=timezone.now())
        return result

    def _job(self) -> str | None:
        """What the timetable calls it."""
        timetable = self.app.conf.beat_schedule.items()
        return next((job for job, entry in timetable if entry["task"] == self.name), None)
