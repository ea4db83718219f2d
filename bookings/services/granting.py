"""What a request is granted: the seats named, the allocator's, a place in line, or a refusal that says why.

All of it under the event's lock, in memory; nothing is written before everybody has their answer.
"""

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from uuid import UUID

from bookings.box_office import BoxOffice
from bookings.errors import (
    BookingRefused,
    KeyUsedDifferently,
    NoSuchSeat,
    NotBookable,
    NotEnoughSeats,
    NothingLeft,
    OthersAreWaiting,
    OwnLimit,
    PartyTooLarge,
    SeatNamedTwice,
    SeatsTaken,
)
from bookings.models import Booking, BookingHistory
from bookings.seat_counter import Claim
from bookings.waitlist import LARGEST_PARTY
from events.models import Event
from orgs.models import Membership


@dataclass(frozen=True, kw_only=True)
class Request:
    """What somebody asks for: a number of seats, or these seats; `claim` is what the counter set aside."""

    user_id: UUID
    seats: int
    now: datetime
    claim: Claim
    seat_nos: tuple[int, ...] = ()
    or_wait: bool = False
    key: UUID | None = None
    by: str = "person"

    @property
    def is_for_any_seats(self) -> bool:
        return not self.seat_nos and 1 <= self.seats <= LARGEST_PARTY

    def asked(self) -> dict:
        """The request as history keeps it, to know it again when the same form comes a second time."""
        return {"seats": self.seats, "seat_nos": list(self.seat_nos), "or_wait": self.or_wait}


@dataclass(frozen=True)
class Granted:
    """The booking that answers a request; `is_new` unless the same form had made it before."""

    booking: Booking
    is_new: bool = True

    @property
    def took_seats(self) -> bool:
        return self.is_new and self.booking.is_confirmed


def answer_all(
    event: Event, requests: list[Request], *, mend_runs: bool = False
) -> list[Granted | Exception]:
    """The booking, or the refusal, for each request, in their order; what they make is written together."""
    office = BoxOffice(event, now=min(request.now for request in requests), mend_runs=mend_runs)
    office.settle()
    held = office.held_by({request.user_id for request in requests})
    office.house.expect([request.seats for request in requests if request.is_for_any_seats])
    outcomes: list[Granted | Exception] = []
    for request in requests:
        try:
            outcomes.append(_answer(office, request, held[request.user_id]))
        except BookingRefused as refusal:
            outcomes.append(refusal)
    office.close(
        claimed=sum(
            request.claim.seats
            for request, outcome in zip(requests, outcomes, strict=True)
            if isinstance(outcome, Granted) and outcome.took_seats
        ),
        is_counted=all(request.claim.is_counted for request in requests),
    )
    return outcomes


def _answer(office: BoxOffice, request: Request, held: list[Booking]) -> Granted:
    if earlier := _answered(office, request, held):
        return Granted(earlier, is_new=False)
    office.now = request.now
    office.ensure_bookable()
    if request.by == "person":
        ensure_invited(office, request.user_id)
    ensure_party_is_possible(office, request.seats, request.seat_nos)
    ensure_own_limit(office, held, more=request.seats)
    booking = Booking(
        event_id=office.event.pk,
        user_id=request.user_id,
        seats=request.seats,
        status=Booking.Status.CONFIRMED,
        idempotency_key=request.key,
        created_at=office.ledger.now,
        updated_at=office.ledger.now,
    )
    facts = {"seats": request.seats, "by": request.by, "asked": request.asked()}
    if may_be_confirmed(office, request.seats, named=request.seat_nos, or_wait=request.or_wait):
        seat_nos = take_seats(office, request.seats, request.seat_nos)
        office.ledger.made.append(booking)
        office.hand_out(booking, seat_nos)
        office.note(booking, "created", status="confirmed", seat_nos=seat_nos, **facts, **office.passing())
        office.tell("booking_confirmed", booking, seat_nos=seat_nos)
    else:
        office.ledger.made.append(booking)
        office.stand_last(booking)
        office.note(booking, "created", status="waiting", waiting_number=booking.waiting_number, **facts)
        office.tell("booking_waitlisted", booking)
    held.append(booking)
    return Granted(booking)


def _answered(office: BoxOffice, request: Request, held: list[Booking]) -> Booking | None:
    """The booking that this form made when it came first, perhaps a moment ago."""
    for booking in held:
        if request.key and booking.idempotency_key == request.key:
            if _asked(office, booking) not in (None, request.asked()):
                raise KeyUsedDifferently(booking)
            return booking
    return None


def _asked(office: BoxOffice, booking: Booking) -> dict | None:
    """What the form asked for that made `booking`."""
    for made, action, details in office.ledger.history:
        if made is booking and action == "created":
            return details["asked"]
    created = BookingHistory.objects.of_booking(booking.pk).filter(action="created").first()
    return created.details.get("asked") if created else None


def ensure_invited(office: BoxOffice, user_id: UUID) -> None:
    """What is for members only cannot be booked by others, who may not even know of it."""
    if office.event.visibility == Event.Visibility.MEMBERS:
        members = Membership.objects.active().filter(organization_id=office.event.org_id)
        if not members.filter(user_id=user_id).exists():
            raise NotBookable


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
