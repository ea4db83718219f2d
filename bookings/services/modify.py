"""Change a booking to a whole new state: another number of seats, or these seats."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from bookings.box_office import BoxOffice
from bookings.errors import AlreadyCancelled, OutOfDate
from bookings.models import Booking
from bookings.services.granting import (
    ensure_invited,
    ensure_own_limit,
    ensure_party_is_possible,
    may_be_confirmed,
    take_seats,
)
from bookings.services.mending import mends_free_runs


@mends_free_runs
def modify(
    *,
    booking_id: UUID,
    version: int,
    actor_id: UUID | None,
    now: datetime,
    seats: int | None = None,
    seat_nos: list[int] | None = None,
    mend_runs: bool = False,
) -> Booking:
    """Change a booking to `seats` seats, or to exactly `seat_nos`; the same as before changes nothing.

    Waiting: fewer keeps the place in line, more takes a new one at its end. Confirmed: fewer gives back the
    seats not named, else the highest; other seats are swapped, whoever waits; more is granted whole, as to a
    newcomer, or refused with the booking as it was.

    Raises:
        Booking.DoesNotExist, and of `bookings.errors`: EventCancelled, Closed, NotBookable, OutOfDate,
        AlreadyCancelled, NothingLeft, PartyTooLarge, NoSuchSeat, SeatNamedTwice, OwnLimit, NotEnoughSeats,
        SeatsTaken, OthersAreWaiting.
    """
    event_id = Booking.objects.values_list("event_id", flat=True).get(pk=booking_id)
    with transaction.atomic(durable=True):
        office = BoxOffice.open(event_id, now=now, mend_runs=mend_runs)
        office.settle()
        booking = office.booking(booking_id)
        if booking.version != version:
            raise OutOfDate(booking)
        if booking.is_cancelled:
            raise AlreadyCancelled(booking)
        office.ensure_open()
        by = "person" if actor_id == booking.user_id else "organizer"
        wanted = tuple(sorted(seat_nos or ()))
        party = len(wanted) if wanted else seats or 0
        if wanted or party != booking.seats:
            ensure_party_is_possible(office, party, wanted, had=booking.seats)
        if party > booking.seats:
            office.ensure_bookable()
            held = office.held_by({booking.user_id})[booking.user_id]
            ensure_own_limit(office, held, more=party - booking.seats)
            if by == "person":
                ensure_invited(office, booking.user_id)
        if booking.is_waiting:
            _change_waiting(office, booking, party, by=by)
        else:
            _change_confirmed(office, booking, party, wanted, by=by)
        office.settle()
        office.close()
        if booking.is_waiting:
            booking.refresh_from_db()  # it may have been its turn now
    return booking


def _change_waiting(office: BoxOffice, booking: Booking, party: int, *, by: str) -> None:
    was = booking.seats
    if party == was:
        return
    booking.seats = party
    if party > was:
        office.stand_last(booking)
    office.ledger.change(booking)
    office.note(booking, "modified", seats=party, was=was, waiting_number=booking.waiting_number, by=by)
    office.tell("booking_waitlisted", booking, change={"seats": [was, party]})


def _change_confirmed(
    office: BoxOffice, booking: Booking, party: int, wanted: tuple[int, ...], *, by: str
) -> None:
    had, was = office.seats_of(booking), booking.seats
    if wanted:
        gives, takes = sorted(set(had) - set(wanted)), tuple(sorted(set(wanted) - set(had)))
    else:
        gives, takes = had[party:], ()
    more = party - len(had)
    if not gives and not takes and more == 0:
        return
    if more > 0:
        may_be_confirmed(office, more, named=takes)
    passing = office.passing() if more > 0 else {}
    took = take_seats(office, max(more, len(takes)), takes) if takes or more > 0 else []
    office.hand_out(booking, took)
    office.house.give_back(gives)
    office.ledger.given_back.extend((booking.pk, seat) for seat in gives)
    booking.seats = party
    office.ledger.change(booking)
    seat_nos = sorted({*had, *took} - set(gives))
    change = {"seats": [was, party], "gave_back": gives, "took": took}
    office.note(
        booking,
        "modified",
        seats=party,
        was=was,
        seat_nos=seat_nos,
        gave_back=gives,
        took=took,
        by=by,
        **passing,
    )
    office.tell("booking_confirmed", booking, seat_nos=seat_nos, change=change)
