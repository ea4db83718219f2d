"""What tests do to the counter of an event behind everybody's back, and what it says."""

from bookings import seat_counter
from bookings.seats_side import SEATS
from events.models import Event


def says(event: Event) -> int | None:
    counter = seat_counter.read([event.pk])[event.pk]
    return counter and counter.slots


def set_counter(event: Event, seats: int) -> None:
    SEATS.client.set(f"event:{event.pk}:slots", seats)
