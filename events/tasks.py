from celery import shared_task
from django.utils import timezone

from events import services


@shared_task(name="happening.advance_events")
def advance_events():
    services.advance(now=timezone.now())
