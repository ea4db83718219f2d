"""Tell somebody once more how their booking stands."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.db import transaction

from bookings.box_office import BoxOffice
from bookings.errors import AlreadyCancelled
from bookings.models import Booking
from bookings.telling import about_booking
from notifications import outbox

KINDS = {
    Booking.Status.CONFIRMED: "booking_confirmed",
    Booking.Status.WAITING: "booking_waitlisted",
}


def resend(*, booking_id: UUID, actor_id: UUID, now: datetime) -> Booking:
    """Owe the booking's person a message of how things stand; twice within a minute is once.

    Raises:
        Booking.DoesNotExist, and of `bookings.errors`: AlreadyCancelled.
    """
    event_id = Booking.objects.values_list("event_id", flat=True).get(pk=booking_id)
    with transaction.atomic(durable=True):
        office = BoxOffice.open(event_id, now=now)
        booking = office.booking(booking_id)
        if booking.is_cancelled:
            raise AlreadyCancelled(booking)
        message = about_booking(
            KINDS[booking.status], office.event, booking, seat_nos=office.seats_of(booking), again=True
        )
        outbox.enqueue([replace(message, dedupe_key=f"{message.dedupe_key}:again:{now:%Y%m%d%H%M}")], now=now)
    return booking
