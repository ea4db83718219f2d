"""What the booking panel of an event's page offers, as things stand."""

from bookings.models import EventTotals
from events.models import Event

CANCELLED = "cancelled"
OVER = "over"
CLOSED = "closed"
UNBOOKABLE = "unbookable"
NOT_OPEN = "not_open"
OPEN = "open"
WAITLIST = "waitlist"
SOLD_OUT = "sold_out"


def state_of(event: Event, *, now) -> str:
    """One of the words above; the order is that of what a visitor needs to know first."""
    if event.is_cancelled:
        return CANCELLED
    if event.status == Event.Status.COMPLETED or (event.ends_at or event.event_date) <= now:
        return OVER
    if event.closes_at <= now:
        return CLOSED
    if event.org is None or not event.org.is_active:
        return UNBOOKABLE
    if event.booking_opens_at and now < event.booking_opens_at:
        return NOT_OPEN
    if event.available_slots and not (event.is_strict and parties_waiting(event)):
        return OPEN
    return WAITLIST if event.waitlist else SOLD_OUT


def parties_waiting(event: Event) -> int:
    """How many stand in line; an event that nobody ever booked has no row of totals."""
    try:
        return event.totals.waiting_bookings
    except EventTotals.DoesNotExist:
        return 0


def largest_party(event: Event) -> int:
    return min(event.max_seats_per_booking, event.max_seats_per_person, event.total_slots)
