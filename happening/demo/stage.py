"""One event of the demo while its story is told: what people do, each step harmless when repeated."""

from contextlib import suppress
from datetime import datetime
from functools import cached_property
from uuid import NAMESPACE_URL, UUID, uuid5

from bookings import services
from bookings.errors import BookingRefused, NotWaiting
from bookings.models import Booking
from events.models import Event
from happening.demo.programme import Planned
from orgs.models import User


class Stage:
    def __init__(self, planned: Planned, event: Event, cast: dict[str, User], guests: list[User]):
        """`cast` are the accounts by email, `guests` those who may come."""
        self.planned, self.event, self.cast, self.guests = planned, event, cast, guests

    def moment(self, share: float) -> datetime:
        """A moment between the event's publication (0) and now, or the end of booking (1)."""
        return self.planned.opened_at + (self.planned.settled_at - self.planned.opened_at) * share

    def book(self, who: User, at: datetime, *, seats: int, name: str, seat_nos: list[int] = ()) -> Booking:
        """Book, or wait; `name` names this step. Seats that are taken become the allocator's choice."""
        key = uuid5(NAMESPACE_URL, f"{self.planned.key}/{name}")
        if key in self._made:
            return self._made[key]
        request = {"event_id": self.event.pk, "user_id": who.pk, "key": key, "now": at}
        if seat_nos:
            try:
                return services.book(seat_nos=list(seat_nos), **request)
            except BookingRefused:
                return services.book(seats=len(seat_nos), or_wait=self.event.waitlist, **request)
        return services.book(seats=seats, or_wait=self.event.waitlist, **request)

    def cancel(self, booking: Booking, at: datetime) -> None:
        services.cancel(booking_id=booking.pk, actor_id=booking.user_id, now=at)

    def modify(self, booking: Booking, at: datetime, *, seats: int) -> None:
        """Change a booking that has not been changed before."""
        if booking.version == 1:
            services.modify(booking_id=booking.pk, version=1, seats=seats, actor_id=booking.user_id, now=at)

    def promote(self, booking: Booking, at: datetime, *, by: User, reason: str) -> None:
        """Promote out of turn whoever still waits."""
        with suppress(NotWaiting):
            services.promote(booking_id=booking.pk, reason=reason, actor_id=by.pk, now=at)

    @cached_property
    def _made(self) -> dict[UUID, Booking]:
        """What an earlier run, killed on the way, had booked already."""
        return {booking.idempotency_key: booking for booking in self.event.bookings.all()}
