"""Calendar days on the clock of each event's own place.

A day begins at another instant in each time zone, so "from 12 June" is one comparison per offset. The
zones' rules are read here rather than by `AT TIME ZONE` in SQL, which fails a whole list for one event
whose zone the server does not know.
"""

from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import available_timezones

from django.db.models import Case, DateTimeField, Q, Value, When

from events.zones import zone_named

WIDEST_OFFSET = timedelta(hours=15)  # no zone is further from UTC


def on_or_after(day: date) -> Q:
    """Events that start on `day` or later, by their own calendar."""
    return Q(event_date__gte=_midnight(day) - WIDEST_OFFSET) & Q(event_date__gte=_beginning_of(day))


def before(day: date) -> Q:
    """Events that start before `day`, by their own calendar."""
    return Q(event_date__lt=_midnight(day) + WIDEST_OFFSET) & Q(event_date__lt=_beginning_of(day))


def _beginning_of(day: date) -> Case:
    return Case(
        *(
            When(time_zone__in=zones, then=Value(instant, DateTimeField()))
            for instant, zones in _midnights(day)
        ),
        default=Value(_midnight(day), DateTimeField()),
    )


@lru_cache(maxsize=100)
def _midnights(day: date) -> list[tuple[datetime, list[str]]]:
    """The instants at which `day` begins somewhere, and where."""
    zones_by_instant = defaultdict(list)
    for name in sorted(available_timezones()):
        zones_by_instant[_midnight(day, name)].append(name)
    return sorted(zones_by_instant.items())


def _midnight(day: date, zone: str = "UTC") -> datetime:
    return datetime.combine(day, time(), tzinfo=zone_named(zone)).astimezone(UTC)
