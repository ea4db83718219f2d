"""All times of a series within a window, by `recurring_ical_events`: rules, single dates, changed times.

The library is given components that hold times only, with zones already found; each carries the number of its
entry, so that a time comes back with the words of the entry that says it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import icalendar
from icalendar.prop import vDDDLists, vDDDTypes
from recurring_ical_events import of

from events.ical.entries import Entry
from events.ical.errors import EntryRefused

OURS = "X-HAPPENING-ENTRY"


@dataclass(frozen=True)
class Time:
    """One time of a series; `slot` is where the series itself has it, before it was moved."""

    slot: date
    start: date
    end: date | None
    entry: Entry


def times_of(entries: list[Entry], *, after: datetime, before: datetime) -> list[Time]:
    """The times of one UID's entries that are going on or begin between two moments, in order.

    Raises:
        EntryRefused: the library cannot make sense of them together.
    """
    calendar = icalendar.Calendar()
    for number, entry in enumerate(entries):
        calendar.add_component(_component(entry, number))
    try:
        # Whole days are compared as if they were in UTC: a day more on each side, for the caller to cut.
        found = of(calendar).between(after - timedelta(days=1), before + timedelta(days=1))
        times = [_time(component, entries) for component in found]
    except (ValueError, TypeError, OverflowError, AttributeError, KeyError) as error:
        raise EntryRefused(f"its repetitions cannot be worked out ({str(error)[:80]})") from error
    return sorted(times, key=lambda time: key_of(time.slot))


def slots_left_out(entries: list[Entry]) -> Iterator[date]:
    """The times that the series names as not taking place and that no entry of their own brings back."""
    kept = {key_of(entry.recurrence) for entry in entries if entry.recurrence is not None}
    for entry in entries:
        for slot in entry.left_out:
            if isinstance(entry.start, datetime) and not isinstance(slot, datetime):
                slot = datetime.combine(slot, entry.start.timetz())
            elif isinstance(slot, datetime) and not isinstance(entry.start, datetime):
                slot = slot.date()
            if key_of(slot) not in kept:
                yield slot


def key_of(slot: date) -> str:
    """A time as it stands in an identity: in UTC, or the day."""
    if isinstance(slot, datetime):
        return f"{slot.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    return f"{slot:%Y%m%d}"


def _component(entry: Entry, number: int) -> icalendar.Event:
    component = icalendar.Event()
    component[OURS] = number
    component["UID"] = "of one series"
    component["SEQUENCE"] = entry.sequence
    component["DTSTART"] = vDDDTypes(entry.start)
    component["DTEND"] = vDDDTypes(entry.end or entry.start)
    if entry.rules:
        component["RRULE"] = entry.rules
    if entry.added:
        component["RDATE"] = vDDDLists(entry.added)
    if entry.left_out:
        component["EXDATE"] = vDDDLists(entry.left_out)
    if entry.recurrence is not None:
        component["RECURRENCE-ID"] = vDDDTypes(entry.recurrence)
        if entry.moves_later_ones:
            component["RECURRENCE-ID"].params["RANGE"] = "THISANDFUTURE"
    return component


def _time(component: icalendar.Event, entries: list[Entry]) -> Time:
    entry = entries[component[OURS]]
    start, end = component["DTSTART"].dt, component["DTEND"].dt
    if entry.recurrence is None:
        slot = start
    elif entry.moves_later_ones:
        slot = start - (entry.start - entry.recurrence)
    else:
        slot = entry.recurrence
    return Time(slot, start, None if end == start else end, entry)
