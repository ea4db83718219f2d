"""Celery's task: counted, named in what is logged meanwhile, and recorded where it stands in the timetable.

A job that is to run alone does nothing while another run of it is under way, and one that rests does nothing
until its time: neither leaves a record. What is called directly, and by no worker, is none of it.
"""

from contextlib import AbstractContextManager, nullcontext
from time import monotonic

from celery import Task
from django.utils import timezone

from orgs.counting import Counter, Histogram
from orgs.log_facts import said_with

TASKS = Counter("happening_tasks_total", "Tasks of the worker, by how they ended.", ["task", "outcome"])
SECONDS = Histogram(
    "happening_task_seconds", "How long tasks take.", ["task"], buckets=(0.01, 0.1, 0.5, 1, 5, 15, 60, 300)
)


class RecordedTask(Task):
    abstract = True

    def __call__(self, *args, **kwargs):
        if self.request.called_directly:
            return super().__call__(*args, **kwargs)
        begun, outcome = monotonic(), "failed"
        try:
            with said_with(task=self.name, task_id=self.request.id):
                result = self._in_turn(*args, **kwargs)
            outcome = "done"
        finally:
            TASKS.labels(self.name, outcome).inc()
            SECONDS.labels(self.name).observe(monotonic() - begun)
        return result

    def _in_turn(self, *args, **kwargs):
        from happening import job_runs  # only now: models are not there yet when Celery loads this class

        name = self._job()
        if name is None:
            return super().__call__(*args, **kwargs)
        with self._turn(name) as is_ours:
            if not is_ours or job_runs.rests(name, now=timezone.now()):
                return None
            return self._recorded(name, *args, **kwargs)

    def _recorded(self, name: str, *args, **kwargs):
        from happening import job_runs
        from orgs.models import JobRun

        job_runs.begin(name, now=timezone.now())
        try:
            result = super().__call__(*args, **kwargs)
        except Exception:
            job_runs.end(name, JobRun.Outcome.FAILED, now=timezone.now())
            raise
        job_runs.end(name, JobRun.Outcome.DONE, now=timezone.now())
        return result

    def _turn(self, name: str) -> AbstractContextManager[bool]:
        from happening.celery import TIMETABLE
        from orgs.only_run import only_run

        return only_run(name) if TIMETABLE[name].alone else nullcontext(True)

    def _job(self) -> str | None:
        """What the timetable calls it."""
        from happening.celery import TIMETABLE

        return next((name for name, job in TIMETABLE.items() if job.task == self.name), None)
