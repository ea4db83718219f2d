"""Book seats, or a place in line."""

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from uuid import UUID

from django.db import transaction

from bookings.box_office import BoxOffice
from bookings.errors import (
    KeyUsedDifferently,
    NoSuchSeat,
    NotEnoughSeats,
    NothingLeft,
    OthersAreWaiting,
    OwnLimit,
    PartyTooLarge,
    SeatNamedTwice,
    SeatsTaken,
)
from bookings.models import Booking, BookingHistory
from bookings.services.mending import mends_free_runs


@dataclass(frozen=True, kw_only=True)
class Request:
    """What somebody asks for: a number of seats, or these seats."""

    user_id: UUID
    seats: int
    seat_nos: tuple[int, ...] = ()
    or_wait: bool = False
    key: UUID | None = None
    by: str = "person"

    def asked(self) -> dict:
        """The request as history keeps it, to know it again when the same form comes a second time."""
        return {"seats": self.seats, "seat_nos": list(self.seat_nos), "or_wait": self.or_wait}


@mends_free_runs
def book(
    *,
    event_id: UUID,
    user_id: UUID,
    now: datetime,
    seats: int | None = None,
    seat_nos: list[int] | None = None,
    or_wait: bool = False,
    key: UUID | None = None,
    actor_id: UUID | None = None,
    mend_runs: bool = False,
) -> Booking:
    """Book `seats` seats side by side where possible, or exactly `seat_nos`; with `or_wait` a place in line
    if the queue's rule does not confirm the party now.

    The same `key` with the same request gives the first answer, whatever has happened since.

    Args:
        actor_id: who books, where it is not the person (`user_id`).

    Raises:
        Event.DoesNotExist, and of `bookings.errors`: EventCancelled, Closed, NotOpenYet, NotBookable,
        NothingLeft, PartyTooLarge, NoSuchSeat, SeatNamedTwice, OwnLimit, NotEnoughSeats, SeatsTaken,
        OthersAreWaiting, KeyUsedDifferently.
    """
    request = Request(
        user_id=user_id,
        seats=len(seat_nos) if seat_nos else seats or 0,
        seat_nos=tuple(sorted(seat_nos or ())),
        or_wait=or_wait and not seat_nos,
        key=key,
        by="person" if actor_id in (None, user_id) else "organizer",
    )
    with transaction.atomic(durable=True):
        office = BoxOffice.open(event_id, now=now, mend_runs=mend_runs)
        earlier = list(office.event.bookings.held_by(user_id))
        booking = _answered(request, earlier)
        if booking is None:
            office.settle()
            booking = _answer(office, request, earlier)
        office.close()
    return booking


def _answered(request: Request, earlier: list[Booking]) -> Booking | None:
    """The booking that this form made when it came first."""
    for booking in earlier:
        if request.key and booking.idempotency_key == request.key:
            created = BookingHistory.objects.of_booking(booking.pk).filter(action="created").first()
            if created and created.details["asked"] != request.asked():
                raise KeyUsedDifferently(booking)
            return booking
    return None


def _answer(office: BoxOffice, request: Request, earlier: list[Booking]) -> Booking:
    office.ensure_bookable()
    ensure_party_is_possible(office, request.seats, request.seat_nos)
    ensure_own_limit(office, earlier, more=request.seats)
    booking = Booking(
        event_id=office.event.pk,
        user_id=request.user_id,
        seats=request.seats,
        status=Booking.Status.CONFIRMED,
        idempotency_key=request.key,
        created_at=office.now,
        updated_at=office.now,
    )
    office.ledger.made.append(booking)
    facts = {"seats": request.seats, "by": request.by, "asked": request.asked()}
    if may_be_confirmed(office, request.seats, named=request.seat_nos, or_wait=request.or_wait):
        seat_nos = take_seats(office, request.seats, request.seat_nos)
        office.hand_out(booking, seat_nos)
        office.note(booking, "created", status="confirmed", seat_nos=seat_nos, **facts, **office.passing())
        office.tell("booking_confirmed", booking, seat_nos=seat_nos)
    else:
        office.stand_last(booking)
        office.note(booking, "created", status="waiting", waiting_number=booking.waiting_number, **facts)
        office.tell("booking_waitlisted", booking)
    return booking


def ensure_party_is_possible(
    office: BoxOffice, seats: int, seat_nos: tuple[int, ...] = (), *, had: int = 0
) -> None:
    """Whether the event could ever hold the party, and the seats named are seats of it. Who had more seats
    than one booking may hold by now (`had`) keeps them."""
    event = office.event
    for seat in seat_nos:
        if not 1 <= seat <= event.total_slots:
            raise NoSuchSeat(seat)
    for seat, following in pairwise(seat_nos):
        if seat == following:
            raise SeatNamedTwice(seat)
    largest = min(max(event.max_seats_per_booking, had), event.total_slots)
    if seats < 1:
        raise NothingLeft
    if seats > largest:
        raise PartyTooLarge(largest)


def ensure_own_limit(office: BoxOffice, held: list[Booking], *, more: int) -> None:
    """The cap per person over confirmed and waiting seats; the database holds it, this says it kindly."""
    seats = sum(booking.seats for booking in held if not booking.is_cancelled)
    if seats + more > office.event.max_seats_per_person:
        raise OwnLimit(limit=office.event.max_seats_per_person, held=seats)


def may_be_confirmed(
    office: BoxOffice, seats: int, *, named: tuple[int, ...] = (), or_wait: bool = False
) -> bool:
    """Whether the rule confirms a newcomer's party now; False if it is to wait, with consent."""
    if seats <= office.on_offer:
        return True
    waitlist = office.event.waitlist
    if named and office.free >= seats:
        raise OthersAreWaiting(waitlist=waitlist)
    if not (or_wait and waitlist):
        raise NotEnoughSeats(asked=seats, free=office.on_offer, waitlist=waitlist)
    return False


def take_seats(office: BoxOffice, seats: int, named: tuple[int, ...] = ()) -> list[int]:
    """The seats named, all of them, or the allocator's choice."""
    if not named:
        return office.house.choose(seats)
    if missing := office.house.choose_named(list(named)):
        raise SeatsTaken(missing)
    return list(named)
