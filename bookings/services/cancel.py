"""Give a booking back."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from bookings.box_office import BoxOffice
from bookings.errors import OutOfDate
from bookings.models import Booking
from bookings.services.mending import mends_free_runs
from notifications import fanout

EVENT_NEWS = ["event_updated", "event_reminder"]


@mends_free_runs
def cancel(
    *,
    booking_id: UUID,
    actor_id: UUID | None,
    now: datetime,
    version: int | None = None,
    mend_runs: bool = False,
) -> Booking:
    """Cancel a booking and let the queue settle; cancelling twice changes nothing. What is
    still to be told of the event (that it moved, that it is near) does not speak of this booking any more.

    Args:
        actor_id: who cancels; anybody but the booking's person counts as the organizer.
        version: of the booking as the asker saw it; None to cancel whatever it has become.

    Raises:
        Booking.DoesNotExist, and of `bookings.errors`: EventCancelled, Closed, OutOfDate.
    """
    event_id = Booking.objects.values_list("event_id", flat=True).get(pk=booking_id)
    with transaction.atomic(durable=True):
        office = BoxOffice.open(event_id, now=now, mend_runs=mend_runs)
        booking = office.booking(booking_id)
        if booking.is_cancelled:
            return booking
        if version not in (None, booking.version):
            raise OutOfDate(booking)
        office.ensure_open()
        by = "person" if actor_id == booking.user_id else "organizer"
        seat_nos = office.seats_of(booking)
        office.house.give_back(seat_nos)
        end(office, booking, seat_nos, reason=by, by=by)
        office.tell("booking_cancelled", booking, seat_nos=seat_nos, reason=by)
        office.settle()
        office.close()
        news = {"types": EVENT_NEWS, "by": "booking_cancelled", "event_id": event_id, "now": now}
        if office.event.bookings.active().held_by(booking.user_id).exists():
            fanout.leave_out(booking.pk, user_id=booking.user_id, **news)
        else:
            fanout.supersede(user_ids=[booking.user_id], **news)
    return booking


def end(office: BoxOffice, booking: Booking, seat_nos: list[int], *, reason: str, by: str) -> None:
    """Write down that a booking is over: its seats given back, its place in line given up."""
    office.ledger.given_back.extend((booking.pk, seat) for seat in seat_nos)
    booking.status, booking.waiting_number = Booking.Status.CANCELLED, None
    office.ledger.change(booking)
    office.note(booking, "cancelled", reason=reason, by=by, seats=booking.seats, gave_back=seat_nos)
