"""When to remind people of an event, so many hours before it: pure."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

DAY = 24  # hours


def reminder_moment(*, starts_at: datetime, zone: ZoneInfo, hours: int) -> datetime:
    """The moment `hours` before an event that starts at `starts_at`, on the clocks of `zone`.

    Whole days are days of the calendar: who is told "a day before" of an event at 19:00 expects it at 19:00,
    also where the clocks change in between and that is 23 or 25 hours. A time of day that this date does not
    have, or has twice, is taken as the later moment of the two that it could be. Other hours are hours that
    pass. In UTC.
    """
    if hours % DAY:
        return (starts_at - timedelta(hours=hours)).astimezone(UTC)
    there = starts_at.astimezone(zone).replace(tzinfo=None) - timedelta(days=hours // DAY)
    return max(there.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
