from celery import shared_task
from django.utils import timezone

from bookings import services


@shared_task(name="happening.run_event_jobs")
def run_event_jobs():
    services.run_jobs(now=timezone.now())


@shared_task(name="happening.close_waitlists")
def close_waitlists():
    services.close_waitlists(now=timezone.now())
