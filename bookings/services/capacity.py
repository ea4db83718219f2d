"""Give an event more or fewer seats."""

from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import transaction

from bookings import free_runs, seat_counter
from bookings.allocation import FreeSeats, blocks_of, runs_between
from bookings.box_office import BoxOffice
from bookings.errors import CapacityTaken, Closed, EventCancelled, NoCapacity, PlanTooSmall
from bookings.models import Booking
from bookings.services.mending import mends_free_runs
from events.models import Event


@mends_free_runs
def change_capacity(
    *,
    event_id: UUID,
    total_slots: int,
    actor_id: UUID | None,
    now: datetime,
    move_people: bool = False,
    mend_runs: bool = False,
) -> Event:
    """Set the number of seats and let the queue settle; the same number changes nothing.

    Args:
        move_people: whether people in seats above the new number may be moved to free ones below it.
            Each keeps as many seats as they had, side by side where possible, and is told.

    Raises:
        Event.DoesNotExist, and of `bookings.errors`: EventCancelled, Closed (it is over), NoCapacity,
        PlanTooSmall, CapacityTaken.
    """
    if total_slots < 1:
        raise NoCapacity
    with transaction.atomic(durable=True):
        office = BoxOffice.open(event_id, now=now, mend_runs=mend_runs)
        event = office.event
        if event.is_cancelled:
            raise EventCancelled
        if event.is_final:
            raise Closed
        if event.seating and total_slots > event.seating.seats:
            raise PlanTooSmall(event.seating.seats)
        if total_slots != event.total_slots:
            _make_room(office, total_slots, move_people=move_people)
            office.flush()
            was = event.total_slots
            event.total_slots = total_slots
            event.save(update_fields=["total_slots"])
            office.house.free += total_slots - was
            free_runs.rebuild(event)
            transaction.on_commit(partial(seat_counter.forget, event_id), robust=True)
            _tell_parties_that_are_too_large(office, was=was)
        office.settle()
        office.close()
    return event


def _make_room(office: BoxOffice, total_slots: int, *, move_people: bool) -> None:
    """Move people out of the seats that are to go, or say why that cannot be."""
    event = office.event
    seats = event.booked_seats.booked()
    highest = seats.order_by("-seat_no").values_list("seat_no", flat=True).first() or 0
    booked = event.total_slots - office.free
    if highest <= total_slots:
        return
    movable = booked <= total_slots
    if not (movable and move_people):
        raise CapacityTaken(booked=booked, highest=highest, movable=movable)
    below = seats.filter(seat_no__lte=total_slots).order_by("seat_no").values_list("seat_no", flat=True)
    free = FreeSeats()
    free.know(runs_between(below.iterator(), blocks_of(event.seating, total_slots)))
    moving = seats.filter(seat_no__gt=total_slots).values_list("booking_id", flat=True)
    bookings = list(event.bookings.filter(pk__in=moving).lock())
    had = office.seats_of_all(bookings)
    for booking in bookings:
        _move(office, booking, had[booking.pk], free, total_slots)


def _move(office: BoxOffice, booking: Booking, had: list[int], free: FreeSeats, total_slots: int) -> None:
    """Put the part of a party that sits too high into free seats below; the others stay where they are."""
    gives = [seat for seat in had if seat > total_slots]
    takes = free.take(len(gives)) or free.take_lowest(len(gives))
    office.ledger.given_back.extend((booking.pk, seat) for seat in gives)
    office.ledger.taken.extend((booking.pk, seat) for seat in takes)
    office.ledger.change(booking)
    seat_nos = sorted({*had, *takes} - set(gives))
    change = {"seats": [booking.seats, booking.seats], "gave_back": gives, "took": takes}
    office.note(
        booking,
        "modified",
        seats=booking.seats,
        was=booking.seats,
        seat_nos=seat_nos,
        gave_back=gives,
        took=takes,
        by="organizer",
        because="capacity",
    )
    office.tell("booking_confirmed", booking, seat_nos=seat_nos, change=change, in_bulk=True)


def _tell_parties_that_are_too_large(office: BoxOffice, *, was: int) -> None:
    """Who waits with more people than the house now holds stays in line, holds nobody up, and is told; once,
    so not who was too large for it before."""
    too_large = office.event.bookings.waiting().filter(seats__gt=office.event.total_slots, seats__lte=was)
    for booking in too_large.lock():
        office.ledger.change(booking)
        office.note(
            booking,
            "modified",
            seats=booking.seats,
            was=booking.seats,
            waiting_number=booking.waiting_number,
            by="organizer",
            because="capacity",
        )
        capacity = office.event.total_slots
        office.tell("booking_waitlisted", booking, change={"capacity": capacity}, in_bulk=True)
