"""An event's history read once more from the beginning: whether its line was passed, and how long a seat that
was free was refused. For events whose number of seats stayed, or that have no line."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

from bookings.models import BookingHistory
from events.models import Event
from tests.faults.visitor import Line
from tests.truth import next_in_line

REFUSED_FOR = 60.0  # seconds, at most, that a free seat may be refused
UNDER_WAY = 1.0  # seconds: who was refused as the last seats were being booked was refused rightly


@dataclass(frozen=True)
class Moment:
    """An entry of the history, and what it met: seats free, and the line as pairs of number and seats."""

    entry: BookingHistory
    free: int
    line: list[tuple[int, int]]
    took: int  # seats; less than 0 where some came free

    @property
    def at(self) -> float:
        """When it was written, under the event's lock, as its id says (RFC 9562); wall time, seconds."""
        return (self.entry.pk.int >> 80) / 1_000


def moments(event: Event) -> Iterator[Moment]:
    free, waiting = event.total_slots, {}
    for entry in BookingHistory.objects.filter(event_id=event.pk).order_by("id"):
        told, booking = entry.details, entry.booking_id
        line = sorted(waiting.values())
        waited = waiting.pop(booking, None)
        number, took = told.get("waiting_number"), 0
        match entry.action:
            case "created" | "modified" if number is not None:
                waiting[booking] = number, told["seats"]
            case "created" | "promoted":
                took = told["seats"]
            case "modified":
                took = told["seats"] - told["was"]
            case "cancelled" if not waited:
                took = -len(told["gave_back"])
        yield Moment(entry, free, line, took)
        free -= took


def passed_over(event_id: UUID) -> list[str]:
    """Who was confirmed although somebody ahead of them in line could have had those seats, or, where the
    rule is strict, while anybody stood there."""
    event, found = Event.objects.get(pk=event_id), []
    for moment in moments(event):
        told = moment.entry.details
        if moment.took <= 0 or told.get("by") == "organizer":
            continue
        first = next_in_line(moment.line, free=moment.free, house=event.total_slots, strict=event.is_strict)
        if moment.entry.action == "promoted":
            if told["stood_at"] != first:
                found.append(f"number {told['stood_at']} was promoted, and {first} stood before it")
        elif first or (event.is_strict and any(seats <= event.total_slots for _, seats in moment.line)):
            found.append(f"booking {moment.entry.booking_id} was confirmed past a line of {len(moment.line)}")
    return found


def seats_refused_for_long(event_id: UUID, lines: Iterable[Line]) -> list[str]:
    """Who was turned away from seats that had been free for longer than the counters may be off."""
    past = list(moments(Event.objects.get(pk=event_id)))
    known = [(0.0, 0), *((moment.at, moment.free - moment.took) for moment in past)]
    found = []
    for line in lines:
        if line.status != 409 or line.event != str(event_id):
            continue
        until = line.began_at + line.ended - line.began
        enough = None  # since when there have been enough seats for them
        for at, free in known:
            if at > until + UNDER_WAY:
                break
            enough = (enough or at) if free >= line.seats else None
        if enough is not None and until - enough > REFUSED_FOR:
            found.append(
                f"{line.seats} seats had been free for {until - enough:.0f} s when they were refused"
            )
    return found
