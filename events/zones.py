"""Time zones by their IANA name."""

from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

ZONES = sorted(name for name in available_timezones() if "/" in name or name == "UTC")

FIRST_YEAR, LAST_YEAR = 1900, 2200  # between which every zone's clock can show an event


@cache
def zone_named(name: str) -> ZoneInfo:
    """The zone called `name`; UTC where the machine does not know it, so that a page still shows."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
