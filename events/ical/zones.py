"""From the names that calendars give to time zones to zones that exist.

A calendar says "Europe/Berlin", "W. Europe Standard Time", "/vendor.example/Europe/Berlin", "GMT+0100", or
defines a zone of its own. Moments are always computed by what the calendar says; the name that is kept
beside them is an IANA name, found by the zone's behaviour where its own name says nothing.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from icalendar import Timezone
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from events.ical.blocks import Block
from events.ical.errors import EntryRefused

LONGEST_DEFINITION = 2_000  # lines
PREFERRED = (
    "Europe/Berlin",
    "Europe/London",
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "Asia/Tokyo",
    "Asia/Kolkata",
    "Asia/Shanghai",
    "Australia/Sydney",
)
OFFSET = re.compile(r"(?:UTC|GMT|Z)?\s*([+-])(\d{1,2}):?(\d{2})?")
ALIASES = {"z": "UTC", "tzone://microsoft/utc": "UTC", "coordinated universal time": "UTC"}


@dataclass(frozen=True)
class Zone:
    """`tzinfo` computes; `name` is the IANA name to keep and show."""

    tzinfo: tzinfo
    name: str


def known_zone(name: str) -> Zone | None:
    """The zone by an IANA name, a Windows name or a fixed offset; None for a name that says nothing."""
    name = name.strip().strip('"')
    if found := _iana_name(name):
        return Zone(ZoneInfo(found), found)
    if offset := OFFSET.fullmatch(name):
        hours, minutes = int(offset[2]), int(offset[3] or 0)
        if not minutes and hours <= 12:
            sign = "-" if offset[1] == "+" else "+"  # POSIX counts westwards
            found = f"Etc/GMT{sign}{hours}" if hours else "UTC"
            return Zone(ZoneInfo(found), found)
    return None


class Zones:
    """The zones of one calendar.

    `default` is where floating times and whole days are, and how moments in UTC are shown.
    """

    def __init__(self, definitions: list[Block], *, default: Zone, now: datetime):
        self.default, self.now = default, now
        self.notes: list[str] = []
        self._definitions = {_value(block, "TZID"): block for block in definitions}
        self._found: dict[str, Zone | str] = {}

    def named(self, name: str) -> Zone:
        """The zone that the calendar calls `name`.

        Raises:
            EntryRefused: there is none, or the calendar's own definition cannot be used.
        """
        if name not in self._found:
            try:
                self._found[name] = known_zone(name) or self._defined(name)
            except EntryRefused as refusal:
                self._found[name] = str(refusal)
        found = self._found[name]
        if isinstance(found, str):
            raise EntryRefused(found)
        return found

    def _defined(self, name: str) -> Zone:
        block = self._definitions.get(name)
        if block is None:
            raise EntryRefused(f"there is no time zone “{name[:60]}”")
        if alike := known_zone(_value(block, "X-LIC-LOCATION")):
            return alike
        zone = _computed(block, name)
        key = _behaving_like(zone, first=self.default.name, now=self.now)
        self.notes.append(
            f"The calendar's own time zone “{name[:60]}” is kept as {key}."
            if key
            else f"The calendar's own time zone “{name[:60]}” is like none known; its times are in UTC."
        )
        return Zone(zone, key or "UTC")


def only_zone(definitions: list[Block]) -> Zone | None:
    """The zone of a calendar that uses one alone: where its floating times are, most likely."""
    names = [_value(block, "X-LIC-LOCATION") or _value(block, "TZID") for block in definitions]
    zones = {zone.name: zone for name in names if (zone := known_zone(name))}
    return next(iter(zones.values())) if len(zones) == 1 else None


@cache
def _names() -> dict[str, str]:
    return {name.casefold(): name for name in available_timezones() if not name.startswith("posix")}


def _iana_name(name: str) -> str | None:
    """Also behind a vendor's prefix, whose parts are dropped from the front until a zone remains."""
    name = name if name.casefold() in _names() else WINDOWS_TO_OLSON.get(name, name)
    words = name.strip("/").split("/")[-8:]
    starts = range(len(words) if name.startswith("/") else 1)
    candidates = ("/".join(words[start:]).casefold() for start in starts)
    return next(
        (_names()[key] for c in candidates if (key := ALIASES.get(c, c).casefold()) in _names()), None
    )


def _value(block: Block, name: str) -> str:
    prefix = name + ":"
    return next((line[len(prefix) :].strip() for line in block.lines if line.upper().startswith(prefix)), "")


def _computed(block: Block, name: str) -> tzinfo:
    """The calendar's own definition as a tzinfo. Only rules that change once a year are followed."""
    for line in block.lines:
        if line.upper().startswith("RRULE") and not re.search(
            r"FREQ=YEARLY(?!.*(INTERVAL|BYHOUR|BYMINUTE|BYSECOND))", line.upper()
        ):
            raise EntryRefused(f"the definition of the time zone “{name[:60]}” cannot be used")
    if len(block.lines) > LONGEST_DEFINITION or block.why_broken:
        raise EntryRefused(f"the definition of the time zone “{name[:60]}” cannot be used")
    text = "\r\n".join(["BEGIN:VTIMEZONE", *block.lines, "END:VTIMEZONE", ""])
    try:
        zone = Timezone.from_ical(text).to_tz(lookup_tzid=False)
        datetime(2026, 7, 1, tzinfo=zone).astimezone(UTC)
    except Exception as error:  # whatever a hostile definition brings out of two libraries: it is unusable
        raise EntryRefused(f"the definition of the time zone “{name[:60]}” cannot be used") from error
    return zone


def _behaving_like(zone: tzinfo, *, first: str, now: datetime) -> str | None:
    """The zone that tells the same time as `zone` each week of the next two years."""
    noon = now.replace(tzinfo=None, hour=12, minute=0, second=0, microsecond=0)
    weeks = [noon + timedelta(weeks=week) for week in range(104)]
    offsets = [zone.utcoffset(week) for week in weeks]
    for name in dict.fromkeys((first, *PREFERRED, *WINDOWS_TO_OLSON.values())):
        if all(ZoneInfo(name).utcoffset(week) == offset for week, offset in zip(weeks, offsets, strict=True)):
            return name
    return None
