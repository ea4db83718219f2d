"""What one transaction writes about an event's bookings, gathered and then written set-wise.

However many bookings a transaction makes, changes or promotes, each table is written once. The order
matters: seats that are given back go before seats that are taken, bookings before their seats.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder
from django.db import OperationalError, connection, transaction
from uuid_utils.compat import uuid7

from bookings import counts
from bookings.models import Booking
from events.models import Event
from notifications import outbox


class ChangedUnderneath(OperationalError):
    """Somebody wrote to a booking without taking the event's lock first; trying again will do."""


@dataclass
class Ledger:
    event: Event
    now: datetime
    made: list[Booking] = field(default_factory=list)
    changed: dict[UUID, Booking] = field(default_factory=dict)
    taken: list[tuple[UUID, int]] = field(default_factory=list)  # booking, seat
    given_back: list[tuple[UUID, int]] = field(default_factory=list)
    history: list[tuple[Booking, str, dict]] = field(default_factory=list)
    owed: list[outbox.Owed] = field(default_factory=list)

    def change(self, booking: Booking) -> None:
        """Note that `booking` differs from its row; call once for each change, it counts the version."""
        booking.version += 1
        self.changed[booking.pk] = booking

    def line_changes(self) -> dict[UUID, int | None]:
        """The number in line of every booking that got one, None of those that may have lost theirs."""
        made = {booking.pk: booking.waiting_number for booking in self.made if booking.is_waiting}
        return made | {booking.pk: booking.waiting_number for booking in self.changed.values()}

    def write(self) -> None:
        with connection.cursor() as cursor:
            if self.made:
                self._insert_bookings(cursor)
            if self.changed:
                self._update_bookings(cursor)
            if self.given_back:
                self._cancel_seats(cursor)
            if self.taken:
                self._insert_seats(cursor)
            if self.history:
                self._insert_history(cursor)
                actions = [action for _, action, _ in self.history]
                transaction.on_commit(partial(counts.changed, actions))
        outbox.enqueue(self.owed, now=self.now)

    def _insert_bookings(self, cursor) -> None:
        cursor.execute(
            """
            INSERT INTO bookings (
                id, event_id, user_id, seats, status, waiting_number, idempotency_key, version,
                created_at, updated_at
            )
            SELECT id, %s, user_id, seats, status, waiting_number, idempotency_key, version, %s, %s
            FROM unnest(
                %s::uuid[], %s::uuid[], %s::smallint[], %s::text[], %s::integer[], %s::uuid[], %s::integer[]
            ) AS made (id, user_id, seats, status, waiting_number, idempotency_key, version)
            """,
            [
                self.event.pk,
                self.now,
                self.now,
                [booking.pk for booking in self.made],
                [booking.user_id for booking in self.made],
                [booking.seats for booking in self.made],
                [booking.status for booking in self.made],
                [booking.waiting_number for booking in self.made],
                [booking.idempotency_key for booking in self.made],
                [booking.version for booking in self.made],
            ],
        )

    def _update_bookings(self, cursor) -> None:
        changed = list(self.changed.values())
        cursor.execute(
            """
            UPDATE bookings SET seats = changed.seats, status = changed.status,
                                waiting_number = changed.waiting_number, version = changed.version
            FROM unnest(
                %s::uuid[], %s::smallint[], %s::text[], %s::integer[], %s::integer[]
            ) AS changed (id, seats, status, waiting_number, version)
            WHERE bookings.id = changed.id AND bookings.version < changed.version
            """,
            [
                [booking.pk for booking in changed],
                [booking.seats for booking in changed],
                [booking.status for booking in changed],
                [booking.waiting_number for booking in changed],
                [booking.version for booking in changed],
            ],
        )
        if cursor.rowcount != len(changed):
            raise ChangedUnderneath("A booking changed without the event's lock.")

    def _cancel_seats(self, cursor) -> None:
        cursor.execute(
            """
            UPDATE booking_seats SET status = 'cancelled'
            FROM unnest(%s::uuid[], %s::integer[]) AS given_back (booking_id, seat_no)
            WHERE booking_seats.booking_id = given_back.booking_id
              AND booking_seats.seat_no = given_back.seat_no AND booking_seats.status = 'booked'
            """,
            [[booking for booking, _ in self.given_back], [seat for _, seat in self.given_back]],
        )
        if cursor.rowcount != len(self.given_back):
            raise ChangedUnderneath("A seat changed without the event's lock.")

    def _insert_seats(self, cursor) -> None:
        cursor.execute(
            """
            INSERT INTO booking_seats (id, booking_id, event_id, seat_no, status, created_at, updated_at)
            SELECT id, booking_id, %s, seat_no, 'booked', %s, %s
            FROM unnest(%s::uuid[], %s::uuid[], %s::integer[]) AS taken (id, booking_id, seat_no)
            """,
            [
                self.event.pk,
                self.now,
                self.now,
                [uuid7() for _ in self.taken],
                [booking for booking, _ in self.taken],
                [seat for _, seat in self.taken],
            ],
        )

    def _insert_history(self, cursor) -> None:
        cursor.execute(
            """
            INSERT INTO booking_history (
                id, booking_id, action, details, event_id, org_id, user_id, created_at
            )
            SELECT id, booking_id, action, details::jsonb, %s, %s, user_id, %s
            FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::uuid[])
                AS line (id, booking_id, action, details, user_id)
            """,
            [
                self.event.pk,
                self.event.org_id,
                self.now,
                [uuid7() for _ in self.history],
                [booking.pk for booking, _, _ in self.history],
                [action for _, action, _ in self.history],
                [json.dumps(details, cls=DjangoJSONEncoder) for _, _, details in self.history],
                [booking.user_id for booking, _, _ in self.history],
            ],
        )
