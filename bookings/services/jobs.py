"""Work that events owe, done page by page: a page is a transaction, and says in the job how far it came."""

import logging
from datetime import datetime

from django.db import transaction

from bookings.models import EventJob
from bookings.services.cancel_event import cancel_bookings
from bookings.services.promote import settle
from bookings.telling import about_event
from events.models import Event
from notifications import outbox

PAGE = 1_000

logger = logging.getLogger(__name__)


def run_jobs(*, now: datetime) -> int:
    """Work off every job that is due; returns how many were finished. One that fails stays owed, and does
    not keep the others waiting."""
    finished = 0
    for job in list(EventJob.objects.due(at=now)):
        try:
            while _next_page(job, now=now):
                continue
        except Exception:
            logger.exception("The job %s of event %s failed and will be tried again.", job.kind, job.event_id)
        else:
            finished += 1
    return finished


def _next_page(job: EventJob, *, now: datetime) -> bool:
    """One page of a job; returns whether there is more to do."""
    match job.kind:
        case EventJob.Kind.CANCEL_BOOKINGS:
            return cancel_bookings(job=job, now=now)
        case EventJob.Kind.SETTLE_QUEUE:
            return not settle(event_id=job.event_id, now=now)
        case EventJob.Kind.TELL_OF_CHANGE:
            return tell_of_change(job=job, now=now)


def tell_of_change(*, job: EventJob, now: datetime) -> bool:
    """Owe the next page of an event's people the news that it moved; returns whether more are left."""
    with transaction.atomic(durable=True):
        job = EventJob.objects.select_for_update(no_key=True, of=("self",)).get(pk=job.pk)
        if job.finished_at:
            return False
        event = Event.objects.get(pk=job.event_id)  # after the lock: as the change left it that we waited for
        page = list(event.bookings.active().after(job.cursor).order_by("pk")[:PAGE])
        outbox.enqueue(
            [
                about_event(
                    "event_updated",
                    event,
                    user_id=booking.user_id,
                    booking_id=booking.pk,
                    change={"was": job.details["was"]},
                )
                for booking in page
            ],
            now=now,
        )
        if page:
            job.cursor = page[-1].pk
        if len(page) < PAGE:
            job.finished_at = now
        job.save(update_fields=["cursor", "finished_at"])
    return job.finished_at is None
