"""Looking up is being allowed: what a person may not see is as if it were not there."""

from django.http import Http404
from django.shortcuts import get_object_or_404

from bookings.models import Booking
from events.models import Event
from events.visibility import may_see


def event_for(request, event_id) -> Event:
    """The event with its organization and totals, if it is shown on this host and to this person. Whoever
    holds a booking sees it whatever became of it, wherever they look: their own things are theirs."""
    event = get_object_or_404(Event.objects.select_related("org", "totals"), pk=event_id)
    person = request.user
    if event.is_shown_by(request.organization) and may_see(event, person):
        return event
    if event.is_published and person.is_authenticated and event.bookings.held_by(person.pk).exists():
        return event
    raise Http404


def booking_for(person, booking_id) -> Booking:
    """One of the person's own bookings, with its event."""
    return get_object_or_404(
        Booking.objects.held_by(person.pk).select_related("event__org", "event__totals"), pk=booking_id
    )
