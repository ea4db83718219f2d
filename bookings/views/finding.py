"""Looking up is being allowed: what a person may not see is as if it were not there."""

from uuid import UUID

from django.contrib.auth import SESSION_KEY
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import F, OuterRef, UUIDField, Value
from django.http import Http404

from bookings.models import Booking, BookingSeat
from events.homes import is_of
from events.models import Event
from events.visibility import may_see
from notifications import unread
from orgs.composed import Composed

EVENT = Composed(lambda event: Event.objects.select_related("org", "totals").filter(pk=event))
EVENT_AND_NEWS = Composed(
    lambda event, person: (
        Event.objects.select_related("org", "totals")
        .annotate(unread=unread.counted(Value(person, UUIDField())))
        .filter(pk=event)
    ),
    parameters=2,
)
OWN_BOOKING = Composed(
    lambda booking, person: (
        Booking.objects.held_by(person)
        .select_related("event__org", "event__totals")
        .annotate(
            seat_nos=ArraySubquery(
                BookingSeat.objects.booked()
                .filter(booking_id=OuterRef("pk"))
                .order_by("seat_no")
                .values("seat_no")
            ),
            unread=unread.counted(F("user_id")),
        )
        .filter(pk=booking)
    ),
    parameters=2,
)


def person_id_of(request) -> UUID | None:
    """Whom the session is of, before anybody is looked up; what they may do is not known by it."""
    known = request.session.get(SESSION_KEY)
    return UUID(known) if known else None


def is_at_home(request, event_id: UUID) -> bool:
    """Whether this host shows events of whoever holds this one; no row is read to know it."""
    return request.organization is None or is_of(event_id, request.organization.pk)


def event_for(request, event_id: UUID) -> Event:
    """The event with its organization and totals, if it is shown on this host and to this person. Whoever
    holds a booking sees it whatever became of it, wherever they look: their own things are theirs."""
    person = request.user
    try:
        if person.is_authenticated:
            event = EVENT_AND_NEWS.get(event_id, person.pk)
            person.unread = event.unread
        else:
            event = EVENT.get(event_id)
    except Event.DoesNotExist:
        raise Http404 from None
    if event.is_shown_by(request.organization) and may_see(event, person):
        return event
    if event.is_published and person.is_authenticated and event.bookings.held_by(person.pk).exists():
        return event
    raise Http404


def booking_for(person, booking_id: UUID) -> Booking:
    """One of the person's own bookings, with its event and its `seat_nos`, those booked."""
    try:
        booking = OWN_BOOKING.get(booking_id, person.pk)
    except Booking.DoesNotExist:
        raise Http404 from None
    person.unread = booking.unread
    return booking
