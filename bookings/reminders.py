"""Which reminder of an event is due, by the hours that its organization has set.

As many as there are hours, and never more than that for one date of the event: whoever changes the hours
later gets nobody reminded twice. Several that fell due together (nobody ran, or the hours are new) are one,
the one closest to the event.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bookings.reminder_moment import reminder_moment
from events.models import Event

SETTING = "reminder_hours"
DEFAULT_HOURS = [24]
LONGEST_HOURS = 336  # two weeks


@dataclass(frozen=True)
class Reminder:
    """`number` counts the reminders of one date of the event, those that fell together included."""

    event: Event
    hours: int
    moment: datetime
    number: int


@dataclass(frozen=True)
class Reminded:
    """What was told, or left out, already for the date that the event has now."""

    number: int
    moment: datetime


def hours_of(settings: dict) -> list[int]:
    """How many hours before an event an organization with these settings reminds its people; [] for never.
    What cannot be understood counts as not set."""
    hours = settings.get(SETTING, DEFAULT_HOURS)
    if not isinstance(hours, list) or not all(
        type(each) is int and 1 <= each <= LONGEST_HOURS for each in hours
    ):
        return DEFAULT_HOURS
    return hours


def due_reminder(
    event: Event, *, hours: Iterable[int], reminded: Iterable[Reminded], now: datetime
) -> Reminder | None:
    """The reminder of `event` that is due and was not told; None if there is none."""
    moments = {
        each: reminder_moment(starts_at=event.event_date, zone=event.zone, hours=each) for each in set(hours)
    }
    due = {each: moment for each, moment in moments.items() if moment <= now}
    if not due or event.event_date <= now:
        return None
    closest = min(due)
    for earlier in reminded:
        if earlier.number >= len(due) or earlier.moment >= due[closest]:
            return None
    return Reminder(event, closest, due[closest], number=len(due))
