"""Cancel an event: at once for whoever wants to book, in pages for whoever has."""

from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import transaction

from bookings import free_runs, seat_counter
from bookings.box_office import BoxOffice
from bookings.errors import Closed, ReasonMissing
from bookings.models.job import EventJob
from bookings.services.cancel import end
from bookings.telling import about_event
from events.models import Event

PAGE = 1_000


def cancel_event(*, event_id: UUID, reason: str, actor_id: UUID | None, now: datetime) -> Event:
    """Call an event off, for good; its bookings are cancelled and its people told by the job this leaves.

    From this commit on nothing of it can be booked or promoted. Cancelling twice changes nothing.

    Raises:
        Event.DoesNotExist, and of `bookings.errors`: ReasonMissing, Closed (it is over).
    """
    if not reason.strip():
        raise ReasonMissing
    with transaction.atomic(durable=True):
        office = BoxOffice.open(event_id, now=now)
        event = office.event
        if event.is_cancelled:
            return event
        if event.is_final:
            raise Closed
        event.status, event.cancellation_reason = Event.Status.CANCELLED, reason.strip()
        event.sequence += 1
        event.save(update_fields=["status", "cancellation_reason", "sequence"])
        EventJob.objects.finish(event_id, EventJob.Kind.SETTLE_QUEUE, now=now)
        EventJob.objects.finish(event_id, EventJob.Kind.TELL_OF_CHANGE, now=now)
        EventJob.objects.owe(event, EventJob.Kind.CANCEL_BOOKINGS, due_at=now, by=actor_id)
        transaction.on_commit(partial(seat_counter.stop, event), robust=True)
    return event


def cancel_bookings(*, job: EventJob, now: datetime) -> bool:
    """Cancel the next page of a cancelled event's bookings; returns whether any are left."""
    with transaction.atomic(durable=True):
        office = BoxOffice.open(job.event_id, now=now)
        job = EventJob.objects.select_for_update(no_key=True, of=("self",)).get(pk=job.pk)
        if job.finished_at:
            return False
        page = list(office.event.bookings.active().after(job.cursor).lock()[:PAGE])
        seats = office.seats_of_all(page)
        for booking in page:
            end(office, booking, seats[booking.pk], reason="event_cancelled", by="organizer")
            office.ledger.owed.append(
                about_event(
                    "event_cancelled",
                    office.event,
                    user_id=booking.user_id,
                    booking_id=booking.pk,
                    reason=office.event.cancellation_reason,
                )
            )
        office.close()
        if page:
            job.cursor = page[-1].pk
        if len(page) < PAGE:
            free_runs.rebuild(office.event)
            job.finished_at = now
        job.save(update_fields=["cursor", "finished_at"])
    return job.finished_at is None
