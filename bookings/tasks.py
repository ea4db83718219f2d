from celery import shared_task
from django.utils import timezone

from bookings import services
from bookings.reconcile import reconcile


@shared_task(name="happening.run_event_jobs")
def run_event_jobs():
    services.run_jobs(now=timezone.now())


@shared_task(name="happening.close_waitlists")
def close_waitlists():
    services.close_waitlists(now=timezone.now())


@shared_task(name="happening.reconcile_slots")
def reconcile_slots():
    reconcile(now=timezone.now())
