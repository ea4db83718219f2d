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
from bookings.telling import about_event, of_each_person
from events.models import Event
from notifications import fanout
from orgs.crash_points import crash_point
from orgs.nudge import nudge

PAGE = 1_000


def cancel_event(*, event_id: UUID, reason: str, actor_id: UUID | None, now: datetime) -> Event:
    """Call an event off, for good; its bookings are cancelled and its people told by the job this leaves. Who
    was not told of a new date or reminded by then never is.

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
        for kind in (EventJob.Kind.SETTLE_QUEUE, EventJob.Kind.TELL_OF_CHANGE, EventJob.Kind.REMIND):
            EventJob.objects.finish(event_id, kind, now=now)
        EventJob.objects.owe(event, EventJob.Kind.CANCEL_BOOKINGS, due_at=now, by=actor_id)
        office.close()
        transaction.on_commit(partial(seat_counter.stop, event), robust=True)
        transaction.on_commit(lambda: nudge(EventJob.TASK))
    return event


def cancel_bookings(*, job: EventJob, now: datetime) -> bool:
    """Cancel the next page of a cancelled event's bookings; returns whether any are left."""
    with transaction.atomic(durable=True):
        office = BoxOffice.open(job.event_id, now=now)
        job = EventJob.objects.lock().get(pk=job.pk)
        if job.finished_at:
            return False
        page = list(office.event.bookings.active().after(job.cursor).lock()[:PAGE])
        seats = office.seats_of_all(page)
        office.ledger.owed.extend(
            about_event("event_cancelled", office.event, bookings, reason=office.event.cancellation_reason)
            for bookings in of_each_person(page, among=office.event.bookings.active())
        )
        for booking in page:
            end(office, booking, seats[booking.pk], reason="event_cancelled", by="organizer")
        office.close()
        fanout.supersede(
            ["event_updated", "event_reminder"],
            by="event_cancelled",
            event_id=office.event.pk,
            user_ids={booking.user_id for booking in page},
            now=now,
        )
        is_last = len(page) < PAGE
        if is_last:
            free_runs.rebuild(office.event)
        job.turn_page(page, last=is_last, now=now)
        crash_point("fan_out:page_planned")
    return job.finished_at is None
