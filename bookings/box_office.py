"""An event while its row is locked: its free seats, its line, and what the transaction is going to write.

Opened inside a transaction by every service that books, changes or frees. The order of locks is: the
event, then bookings by id, then the event's job. Everything is decided in memory and written
set-wise by `close`, so one transaction can serve one request or many.
"""

from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import connection, transaction

from bookings import free_runs, waitlist
from bookings.errors import Closed, EventCancelled, NotBookable, NotOpenYet
from bookings.following import Following
from bookings.house import House
from bookings.ledger import Ledger
from bookings.models import Booking, BookingSeat, EventTotals
from bookings.models.job import EventJob
from bookings.telling import about_booking
from events.models import Event
from orgs.crash_points import crash_point
from orgs.models import Organization
from orgs.nudge import nudge


class BoxOffice:
    def __init__(self, event: Event, *, now: datetime, mend_runs: bool = False):
        """`event` is locked; `mend_runs`: make its free runs anew first, as they have been found wrong."""
        if mend_runs:
            free_runs.rebuild(event)
        self.event, self.now = event, now
        self.ledger = Ledger(event, now)
        self.house = House(event)
        self._following = Following(event)
        self._last_number = event.last_waiting_number
        self._somebody_waits = False
        self._line_stands = False  # under the strict rule: somebody is in line, and nobody may pass
        self.owes_promotions = False
        self._seats_came_free = False
        transaction.on_commit(self._committed)  # before anybody follows

    @classmethod
    def open(cls, event_id: UUID, *, now: datetime, mend_runs: bool = False) -> "BoxOffice":
        """Lock the event.

        Raises:
            Event.DoesNotExist: there is no such event.
        """
        return cls(Event.objects.lock(event_id), now=now, mend_runs=mend_runs)

    def close(self, *, claimed: int = 0, is_counted: bool = True) -> None:
        """Write what was decided, and have everybody follow who does so once it is committed.

        Args:
            claimed, is_counted: see `Following.on_commit`.
        """
        self.flush()
        if self.owes_promotions:
            EventJob.objects.owe(self.event, EventJob.Kind.SETTLE_QUEUE, due_at=self.now)
            transaction.on_commit(partial(nudge, EventJob.TASK))
        self._seats_came_free |= self.free > self._following.left_before
        self._following.on_commit(left=self.free, claimed=claimed, is_counted=is_counted)

    # What may be done

    def ensure_open(self) -> None:
        """Until the event is cancelled or its booking closes, bookings can be changed and given back."""
        if self.event.is_cancelled:
            raise EventCancelled
        if self.is_closed:
            raise Closed

    def ensure_bookable(self) -> None:
        """Seats can be taken only of a published event of an active organization, once booking is open."""
        self.ensure_open()
        if not self.event.is_published or self.event.org_status != Organization.Status.ACTIVE:
            raise NotBookable
        if self.event.booking_opens_at and self.now < self.event.booking_opens_at:
            raise NotOpenYet(self.event.booking_opens_at)

    @property
    def is_closed(self) -> bool:
        return self.event.is_final or self.now >= self.event.closes_at

    # Bookings and their seats

    def booking(self, booking_id: UUID) -> Booking:
        """One of the event's bookings, locked.

        Raises:
            Booking.DoesNotExist: it has none of that id.
        """
        return self.event.bookings.lock().get(pk=booking_id)

    def held_by(self, people: set[UUID]) -> dict[UUID, list[Booking]]:
        """What each of these people holds or held of the event; by hand, since every booking asks for it."""
        held: dict[UUID, list[Booking]] = {person: [] for person in people}
        with connection.cursor() as cursor:
            cursor.execute(
                """
                SELECT id, user_id, seats, status, waiting_number, idempotency_key, version,
                       created_at, updated_at
                FROM bookings WHERE event_id = %s AND user_id = ANY(%s::uuid[])
                """,
                [self.event.pk, list(people)],
            )
            names = [column.name for column in cursor.description]
            for row in cursor.fetchall():
                booking = Booking(event_id=self.event.pk, **dict(zip(names, row, strict=True)))
                held[booking.user_id].append(booking)
        return held

    def seats_of(self, booking: Booking) -> list[int]:
        return self.seats_of_all([booking])[booking.pk]

    def seats_of_all(self, bookings: list[Booking]) -> dict[UUID, list[int]]:
        """The numbers of the seats that each booking holds, ascending."""
        seats = {booking.pk: [] for booking in bookings}
        held = BookingSeat.objects.booked().filter(booking_id__in=seats).order_by("seat_no")
        for booking_id, seat_no in held.values_list("booking_id", "seat_no"):
            seats[booking_id].append(seat_no)
        return seats

    def hand_out(self, booking: Booking, seat_nos: list[int]) -> None:
        """Write seats of the house down as the booking's."""
        self.ledger.taken.extend((booking.pk, seat) for seat in seat_nos)

    # The line

    def settle(self) -> None:
        """Confirm whoever the queue's rule confirms now; to be called before seats are given to a newcomer
        and after seats came free."""
        self.flush()
        self._line_stands = self.owes_promotions = False
        self._somebody_waits = self._line_is_not_empty()
        if not self._somebody_waits or not self.free or self.is_closed:
            return
        line, more = waitlist.line(self.event, free=self.free)
        promoted = waitlist.promotable(line, free=self.free, strict=self.event.is_strict)
        self.house.expect([party.seats for party in promoted])
        for party in promoted:
            self._promote(party)
        self.flush()  # so that whoever reads a booking from here on reads what has become of it
        self._line_stands = self.event.is_strict and len(promoted) < len(line)
        self.owes_promotions = more and self.free > 0 and not self._line_stands

    @property
    def free(self) -> int:
        """Seats that nobody holds."""
        return self.house.free

    @property
    def on_offer(self) -> int:
        """How many seats a newcomer could have now without passing anybody against the rule."""
        return 0 if self._line_stands or self.owes_promotions else self.free

    def stand_last(self, booking: Booking) -> None:
        """Put the booking at the end of the line."""
        booking.status, booking.waiting_number = Booking.Status.WAITING, self._next_number()
        self._somebody_waits = True
        self._line_stands = self._line_stands or self.event.is_strict

    def passing(self) -> dict:
        """For the history of who is confirmed while others wait: the number at which they stood in line."""
        return {"stood_at": self._next_number()} if self._somebody_waits else {}

    def promote(self, booking: Booking, **details) -> None:
        """Confirm a waiting booking that fits; `details` say by whose decision."""
        number, booking.waiting_number = booking.waiting_number, None
        booking.status = Booking.Status.CONFIRMED
        self.ledger.change(booking)
        seat_nos = self.house.choose(booking.seats)
        self.hand_out(booking, seat_nos)
        self.note(booking, "promoted", seats=booking.seats, seat_nos=seat_nos, stood_at=number, **details)
        self.tell("waitlist_promoted", booking, seat_nos=seat_nos)

    # What is left behind

    def note(self, booking: Booking, action: str, **details) -> None:
        self.ledger.history.append((booking, action, details))

    def tell(self, kind: str, booking: Booking, *, seat_nos: list[int] = (), **more) -> None:
        self.ledger.owed.append(about_booking(kind, self.event, booking, seat_nos=seat_nos, **more))

    # Inside

    def _committed(self) -> None:
        if self._seats_came_free:
            crash_point("freed:committed")

    def _promote(self, party: waitlist.Party) -> None:
        booking = Booking(
            pk=party.booking_id,
            event_id=self.event.pk,
            user_id=party.user_id,
            seats=party.seats,
            status=Booking.Status.WAITING,
            waiting_number=party.number,
            version=party.version,
        )
        self.promote(booking, by="rule")

    def _next_number(self) -> int:
        self._last_number += 1
        return self._last_number

    def _line_is_not_empty(self) -> bool:
        """As the rows say it; while the event never gave out a number there is no need to ask."""
        if not self._last_number:
            return False
        return EventTotals.objects.filter(event_id=self.event.pk, waiting_bookings__gt=0).exists()

    def flush(self) -> None:
        """Write what has been decided so far, and forget it."""
        if self._last_number:  # somebody has stood in line
            self._following.line |= self.ledger.line_changes()
        self._seats_came_free |= bool(self.ledger.given_back)
        self.ledger.write()
        self.ledger = Ledger(self.event, self.now)
        self.house.store()
        if self._last_number != self.event.last_waiting_number:
            self.event.last_waiting_number = self._last_number
            Event.objects.filter(pk=self.event.pk).update(last_waiting_number=self._last_number)
