"""Each job of the timetable leaves a record of its last run, and the doctor says which are late."""

from datetime import timedelta

import pytest
from django.utils import timezone

from happening import job_runs
from happening.celery import TIMETABLE, Job, app
from happening.doctor import upkeep
from notifications.tasks import forget_notifications
from orgs.models import JobRun
from orgs.tasks import expire_invites

pytestmark = pytest.mark.django_db


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def ill_fated(monkeypatch):
    """A task of the timetable that always fails."""

    @app.task(name="ill_fated")
    def task():
        raise ValueError("as always")

    monkeypatch.setitem(TIMETABLE, "ill_fated", Job("ill_fated", every=60))
    yield task
    del app.tasks["ill_fated"]


def seen(now) -> None:
    """Every job has just ended well."""
    for job in TIMETABLE:
        job_runs.begin(job, now=now)
        job_runs.end(job, JobRun.Outcome.DONE, now=now)


def told() -> dict:
    """What the doctor says of late jobs: their mends by what it says."""
    return {finding.says: finding.mend for finding in upkeep.jobs() if not finding.is_ok}


class TestARecordedTask:
    def test_says_when_it_ran_and_that_it_is_done(self):
        expire_invites.apply(throw=True)
        run = JobRun.objects.get(job="expire_invites")
        assert run.outcome == "done"
        assert run.started_at <= run.finished_at == run.done_at

    def test_says_that_it_failed_and_keeps_when_it_was_last_done(self, ill_fated, now):
        seen(now)
        ill_fated.apply()
        run = JobRun.objects.get(job="ill_fated")
        assert (run.outcome, run.done_at) == ("failed", now)

    def test_rests_until_its_time_once_it_was_done(self, now):
        forget_notifications.apply(throw=True)
        first = JobRun.objects.get(job="forget_notifications")
        forget_notifications.apply(throw=True)
        assert JobRun.objects.get(job="forget_notifications").started_at == first.started_at
        JobRun.objects.update(done_at=now - timedelta(hours=25))
        forget_notifications.apply(throw=True)
        assert JobRun.objects.get(job="forget_notifications").started_at > first.started_at

    def test_does_not_rest_when_it_failed(self, now):
        forget_notifications.apply(throw=True)
        JobRun.objects.update(outcome="failed", done_at=None)
        forget_notifications.apply(throw=True)
        assert JobRun.objects.get(job="forget_notifications").outcome == "done"

    def test_leaves_no_record_when_no_worker_calls_it(self):
        expire_invites()
        assert not JobRun.objects.exists()


class TestLate:
    def test_is_nothing_before_anything_ran(self, now):
        assert job_runs.late(now=now) == []
        assert told() == {}

    def test_is_nothing_just_after_all_ran(self, now):
        seen(now)
        assert job_runs.late(now=now + timedelta(seconds=60)) == []
        assert told() == {}

    def test_is_what_missed_three_turns(self, now):
        seen(now)
        late = {one.job for one in job_runs.late(now=now + timedelta(minutes=5))}
        assert {"drain_outbox", "advance_events"} <= late
        assert late.isdisjoint({"expire_invites", "forget_notifications"})

    def test_is_what_fails_every_time(self, now):
        seen(now - timedelta(minutes=10))
        job_runs.end("advance_events", JobRun.Outcome.FAILED, now=now)
        assert "advance_events" in {one.job for one in job_runs.late(now=now)}

    def test_is_what_was_never_seen_while_others_ran(self, now):
        job_runs.begin("drain_outbox", now=now)
        assert "advance_events" in {one.job for one in job_runs.late(now=now + timedelta(minutes=5))}

    def test_is_told_by_the_doctor_with_its_mend(self, now):
        seen(now - timedelta(days=1))
        [(says, mend)] = [each for each in told().items() if each[0].startswith("advance_events")]
        assert "due every 1 min" in says
        assert "worker" in mend

    def test_is_judged_by_each_line_of_the_timetable(self, now):
        seen(now)
        for name, job in TIMETABLE.items():
            almost, after = (timedelta(seconds=job.late_after + more) for more in (-1, 1))
            assert name not in {one.job for one in job_runs.late(now=now + almost)}
            assert name in {one.job for one in job_runs.late(now=now + after)}
