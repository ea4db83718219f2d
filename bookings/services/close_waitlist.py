"""When booking closes, whoever still waits is let go and told."""

import logging
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet, Sum
from django.db.models.functions import Coalesce

from bookings.box_office import BoxOffice
from bookings.services.cancel import end
from events.models import Event

PAGE = 1_000

logger = logging.getLogger(__name__)


def close_waitlist(*, event_id: UUID, now: datetime) -> int:
    """Cancel, as not promoted, at most a thousand of those who wait for an event whose booking has closed;
    returns how many. Who waits is the cursor, so it goes on wherever it was cut off."""
    with transaction.atomic(durable=True):
        office = BoxOffice.open(event_id, now=now)
        if not office.is_closed or office.event.is_cancelled:
            return 0
        page = list(office.event.bookings.waiting().lock()[:PAGE])
        for booking in page:
            end(office, booking, [], reason="not_promoted", by="system")
            office.tell("booking_cancelled", booking, reason="not_promoted", in_bulk=True)
        office.close()
    return len(page)


def close_waitlists(*, now: datetime) -> int:
    """Close the waitlist of every event whose booking has closed; returns how many people were let go. An
    event that fails is tried again next time, and does not keep the others waiting."""
    released = 0
    for event_id in _with_closed_lines(now=now).values_list("pk", flat=True):
        try:
            while page := close_waitlist(event_id=event_id, now=now):
                released += page
        except Exception:
            logger.exception(
                "The waitlist of event %s could not be closed and will be tried again.", event_id
            )
    return released


def count_to_let_go(*, now: datetime) -> int:
    """How many bookings `close_waitlists` would cancel."""
    waiting = _with_closed_lines(now=now).aggregate(bookings=Sum("totals__waiting_bookings"))
    return waiting["bookings"] or 0


def _with_closed_lines(*, now: datetime) -> QuerySet[Event]:
    """The events for which people wait though booking has closed."""
    closes = Coalesce("booking_closes_at", F("event_date"))
    waiting = Event.objects.filter(totals__waiting_bookings__gt=0).exclude(status=Event.Status.CANCELLED)
    return waiting.alias(closes=closes).filter(closes__lte=now)
