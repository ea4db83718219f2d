from contextlib import suppress
from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from bookings import archive_job, services, standing_pages
from bookings.models import EventJob
from bookings.reconcile import reconcile
from orgs.breaker import Away
from orgs.nudge import nudge

A_TURN = timedelta(seconds=4)  # after which a worker may do something else before it goes on with jobs


@shared_task(name=EventJob.TASK)
def run_event_jobs():
    services.run_jobs(now=timezone.now(), for_at_most=A_TURN)


@shared_task(name="happening.send_reminders")
def send_reminders():
    if services.owe_reminders(now=timezone.now()):
        nudge(EventJob.TASK)


@shared_task(name="happening.close_waitlists")
def close_waitlists():
    services.close_waitlists(now=timezone.now())


@shared_task(name="happening.reconcile_slots")
def reconcile_slots():
    now = timezone.now()
    try:
        reconcile(now=now)
    finally:
        with suppress(Away):  # then there are no copies either
            standing_pages.vouch(now=now)


@shared_task(name="happening.archive_history")
def archive_history():
    archive_job.run()
