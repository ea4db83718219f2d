"""An event's bookings in plain Python: what the services must do, said as slowly and plainly as possible.

It knows nothing of the database, of runs or of locks. Each method changes the model or raises `Refused`
with the class of the error that the service must raise.
"""

from dataclasses import dataclass, field

from bookings import errors
from tests.truth import by_the_rule, next_in_line


class Refused(Exception):
    def __init__(self, reason: type[errors.BookingRefused]):
        self.reason = reason
        super().__init__(reason.__name__)


@dataclass
class BookingModel:
    person: int
    seats: int
    status: str = "confirmed"
    number: int | None = None
    seat_nos: list[int] = field(default_factory=list)
    version: int = 1

    @property
    def is_waiting(self) -> bool:
        return self.status == "waiting"

    def state(self) -> tuple:
        return self.status, self.seats, self.number, sorted(self.seat_nos), self.version


@dataclass
class EventModel:
    total: int
    strict: bool
    plan: tuple[int, ...] = ()  # the lengths of the blocks, where there is a plan
    most_per_booking: int = 50
    most_per_person: int = 50
    is_cancelled: bool = False
    last_number: int = 0
    bookings: list[BookingModel] = field(default_factory=list)
    promoted: list[BookingModel] = field(default_factory=list)  # by the rule, in order

    # What there is

    @property
    def blocks(self) -> list[tuple[int, int]]:
        return self.blocks_within(self.total)

    def blocks_within(self, total: int) -> list[tuple[int, int]]:
        if not self.plan:
            return [(1, total)]
        blocks, first = [], 1
        for length in self.plan:
            if first <= total:
                blocks.append((first, min(first + length - 1, total)))
            first += length
        return blocks

    @property
    def booked(self) -> set[int]:
        return {seat for booking in self.bookings for seat in booking.seat_nos}

    @property
    def free(self) -> set[int]:
        return set(range(1, self.total + 1)) - self.booked

    @property
    def line(self) -> list[BookingModel]:
        waiting = [booking for booking in self.bookings if booking.is_waiting]
        return sorted(waiting, key=lambda booking: booking.number)

    @property
    def on_offer(self) -> int:
        """Seats that a newcomer may have now."""
        held_up = self.strict and any(booking.seats <= self.total for booking in self.line)
        return 0 if held_up else len(self.free)

    def held_by(self, person: int) -> int:
        active = [booking for booking in self.bookings if booking.status != "cancelled"]
        return sum(booking.seats for booking in active if booking.person == person)

    # What can be done

    def book(self, person: int, seats: int, *, seat_nos: tuple[int, ...] = (), or_wait: bool = False):
        self._ensure_open()
        self._ensure_possible(seats)
        self._ensure_own_limit(person, seats)
        booking = BookingModel(person, seats)
        if seats <= self.on_offer:
            booking.seat_nos = self._choose(seats, seat_nos)
            if self.line:
                self.last_number += 1
        elif seat_nos and len(self.free) >= seats:
            raise Refused(errors.OthersAreWaiting)
        elif seat_nos or not or_wait:
            raise Refused(errors.NotEnoughSeats)
        else:
            self._stand_last(booking)
        self.bookings.append(booking)
        return booking

    def modify(self, booking: BookingModel, seats: int, *, seat_nos: tuple[int, ...] = ()):
        if booking.status == "cancelled":
            raise Refused(errors.AlreadyCancelled)
        self._ensure_open()
        self._ensure_possible(seats, had=booking.seats)
        if seats > booking.seats:
            self._ensure_own_limit(booking.person, seats - booking.seats)
        if booking.is_waiting:
            self._modify_waiting(booking, seats)
        else:
            self._modify_confirmed(booking, seats, set(seat_nos))
        self._settle()

    def cancel(self, booking: BookingModel):
        if booking.status == "cancelled":
            return
        self._ensure_open()
        self._end(booking)
        self._settle()

    def promote(self, booking: BookingModel):
        self._ensure_open()
        if not booking.is_waiting:
            raise Refused(errors.NotWaiting)
        if booking.seats > len(self.free):
            raise Refused(errors.NotEnoughSeats)
        self._confirm(booking)

    def change_capacity(self, total: int, *, move_people: bool, in_order: list[BookingModel]):
        """`in_order`: the bookings in the order of their ids, in which they are moved."""
        self._ensure_open()
        if self.plan and total > sum(self.plan):
            raise Refused(errors.PlanTooSmall)
        if total == self.total:
            return
        if self.booked and max(self.booked) > total:
            if len(self.booked) > total or not move_people:
                raise Refused(errors.CapacityTaken)
            self._move_below(total, in_order)
        was, self.total = self.total, total
        for booking in self.line:
            if total < booking.seats <= was:
                booking.version += 1
        self._settle()

    def cancel_event(self):
        self.is_cancelled = True

    def reschedule(self):
        self._ensure_open()

    def run_jobs(self):
        if self.is_cancelled:
            for booking in self.bookings:
                self._end(booking)

    def close_waitlist(self):
        if not self.is_cancelled:
            for booking in self.line:
                self._end(booking)

    # How

    def _ensure_open(self):
        if self.is_cancelled:
            raise Refused(errors.EventCancelled)

    def _ensure_possible(self, seats: int, *, had: int = 0):
        if seats > min(max(self.most_per_booking, had), self.total):
            raise Refused(errors.PartyTooLarge)

    def _ensure_own_limit(self, person: int, more: int):
        if self.held_by(person) + more > self.most_per_person:
            raise Refused(errors.OwnLimit)

    def _choose(self, seats: int, seat_nos=()) -> list[int]:
        if not seat_nos:
            return by_the_rule(self.free, self.blocks, seats)
        if not set(seat_nos) <= self.free:
            raise Refused(errors.SeatsTaken)
        return list(seat_nos)

    def _stand_last(self, booking: BookingModel):
        self.last_number += 1
        booking.status, booking.number = "waiting", self.last_number

    def _modify_waiting(self, booking: BookingModel, seats: int):
        if seats == booking.seats:
            return
        if seats > booking.seats:
            self._stand_last(booking)
        booking.seats = seats
        booking.version += 1

    def _modify_confirmed(self, booking: BookingModel, seats: int, wanted: set[int]):
        had = sorted(booking.seat_nos)
        keeps = had[:seats] if not wanted else [seat for seat in had if seat in wanted]
        takes = sorted(wanted - set(had))
        more = seats - len(had)
        if keeps == had and not takes and not more:
            return
        if more > self.on_offer:
            named = takes and len(self.free) >= more
            raise Refused(errors.OthersAreWaiting if named else errors.NotEnoughSeats)
        took = self._choose(max(more, len(takes)), takes) if takes or more > 0 else []
        if more > 0 and self.line:
            self.last_number += 1
        booking.seat_nos, booking.seats = [*keeps, *took], seats
        booking.version += 1

    def _end(self, booking: BookingModel):
        if booking.status != "cancelled":
            booking.status, booking.number, booking.seat_nos = "cancelled", None, []
            booking.version += 1

    def _confirm(self, booking: BookingModel):
        booking.seat_nos = by_the_rule(self.free, self.blocks, booking.seats)
        booking.status, booking.number = "confirmed", None
        booking.version += 1

    def _settle(self):
        """Again and again: who is next?"""
        while True:
            line = {booking.number: booking for booking in self.line}
            sizes = [(number, booking.seats) for number, booking in line.items()]
            number = next_in_line(sizes, free=len(self.free), house=self.total, strict=self.strict)
            if number is None:
                return
            self._confirm(line[number])
            self.promoted.append(line[number])

    def _move_below(self, total: int, in_order: list[BookingModel]):
        free = set(range(1, total + 1)) - self.booked
        for booking in in_order:
            leaves = [seat for seat in booking.seat_nos if seat > total]
            if leaves:
                takes = by_the_rule(free, self.blocks_within(total), len(leaves))
                free -= set(takes)
                booking.seat_nos = [seat for seat in booking.seat_nos if seat <= total] + takes
                booking.version += 1
