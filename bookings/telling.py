"""What a change says to its person: the message that is owed, made of facts as they are now."""

from uuid import UUID

from bookings.models import Booking
from bookings.models.booking import BookingQuerySet
from events.models import Event
from notifications.models import Notification
from notifications.outbox import Owed


def seat_labels(event: Event, seat_nos: list[int]) -> list[str]:
    """What stands on the seats: the plan's words, else their numbers."""
    if event.seating is None:
        return [str(seat) for seat in seat_nos]
    return [event.seating.label(seat) for seat in seat_nos]


def facts(event: Event) -> dict:
    """What anybody who is told of an event needs to know of it."""
    return {
        "title": event.title,
        "place": event.place,
        "starts_at": event.event_date,
        "ends_at": event.ends_at,
        "time_zone": event.time_zone,
        "sequence": event.sequence,
    }


def about_booking(
    kind: str, event: Event, booking: Booking, *, seat_nos: list[int] = (), in_bulk: bool = False, **more
) -> Owed:
    """A message of one of the booking types, once for each version of the booking. `in_bulk`: a change of the
    event owes it to many at once."""
    payload = {
        **facts(event),
        "seats": booking.seats,
        "seat_labels": seat_labels(event, seat_nos),
        "booking_version": booking.version,
        **_link(event, booking),
        **more,
    }
    if booking.waiting_number:
        payload["waiting_number"] = booking.waiting_number
    if kind == "booking_cancelled" and not seat_nos:
        payload["waits"] = True  # nothing of it ever stood in a calendar
    return Owed(
        type=kind,
        user_id=booking.user_id,
        dedupe_key=f"{kind}:{booking.pk}:{booking.version}",
        payload=payload,
        in_bulk=in_bulk,
        org_id=event.org_id,
        event_id=event.pk,
        booking_id=booking.pk,
    )


def about_event(
    kind: str, event: Event, bookings: list[Booking], *, version: str | int | None = None, **more
) -> Owed:
    """A message of one of the event types to the person of these bookings, those with seats first, and about
    all of them: once for each person and `version`, which is the state of the event's calendar entries if
    nothing else is said."""
    first, *others = bookings
    version = event.sequence if version is None else version
    payload = {**facts(event), **_as_it_is(first), **_link(event, first), **more}
    if others:
        payload["others"] = [{"booking_id": each.pk, **_as_it_is(each)} for each in others]
    return Owed(
        type=kind,
        user_id=first.user_id,
        dedupe_key=f"{kind}:{event.pk}:{version}:{first.user_id}",
        payload=payload,
        org_id=event.org_id,
        event_id=event.pk,
        booking_id=first.pk,
    )


def seen_by(bookings: list[Booking], was: dict) -> dict:
    """What the person of these bookings, those with seats first, knew of what an event `was`."""
    knew_the_link = bookings[0].status == Booking.Status.CONFIRMED
    return {name: before for name, before in was.items() if knew_the_link or name != "online_url"}


def booked_since_it_moved(event: Event, people: set[UUID]) -> set[UUID]:
    """Those of these people's bookings whose first message said already when and where the event is now. What
    a booking's change said does not count: that the event moved is news to who booked before."""
    first = Notification.objects.filter(
        event_id=event.pk,
        user_id__in=people,
        type__in=["booking_confirmed", "booking_waitlisted"],
        payload__booking_version=1,
        payload__sequence__gte=event.sequence,
    ).exclude(payload__has_key="again")
    return set(first.values_list("booking_id", flat=True))


def _link(event: Event, booking: Booking) -> dict:
    """For confirmed people only, and of no event that was called off."""
    is_shown = booking.status == Booking.Status.CONFIRMED and not event.is_cancelled
    return {"online_url": event.online_url} if is_shown and event.online_url else {}


def _as_it_is(booking: Booking) -> dict:
    waits = {"waits": True} if booking.status == Booking.Status.WAITING else {}
    return {"booking_version": booking.version, **waits}


def of_each_person(page: list[Booking], *, among: BookingQuerySet) -> list[list[Booking]]:
    """For each person of the page all their bookings `among` these, those with seats first: news of an event
    is told to a person once, and says what becomes of each."""
    theirs: dict[UUID, list[Booking]] = {}
    people = {booking.user_id for booking in page}
    for booking in among.filter(user_id__in=people).order_by("status", "pk").to_be_told():
        theirs.setdefault(booking.user_id, []).append(booking)
    return list(theirs.values())
