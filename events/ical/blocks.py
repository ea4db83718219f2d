"""Cutting a file into entries: each stands alone, so that a bad one spoils no other.

Only the lines of an entry itself are kept, and of those only the properties that an event can use: alarms,
attendees and attachments are never looked at. A file that ends before its calendar does is refused whole;
an entry without an end in a calendar that has one is marked and skipped.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from events.ical.errors import CalendarUnreadable

MOST_ENTRIES = 20_000
DEEPEST = 8
NAME = re.compile(r"([A-Za-z0-9-]+)[ \t]*[;:]")
COMPONENTS = {"VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VTIMEZONE", "VAVAILABILITY"}
USED = {
    "UID",
    "SUMMARY",
    "DESCRIPTION",
    "X-ALT-DESC",
    "LOCATION",
    "URL",
    "CONFERENCE",
    "X-GOOGLE-CONFERENCE",
    "X-MICROSOFT-SKYPETEAMSMEETINGURL",
    "CATEGORIES",
    "CLASS",
    "STATUS",
    "SEQUENCE",
    "DTSTART",
    "DTEND",
    "DURATION",
    "RRULE",
    "RDATE",
    "EXDATE",
    "EXRULE",
    "RECURRENCE-ID",
}


@dataclass
class Block:
    """The lines of one entry (or of one time zone, with all that is nested in it)."""

    kind: str
    line: int
    lines: list[str] = field(default_factory=list)
    why_broken: str | None = None


@dataclass
class Calendar:
    line: int
    properties: dict[str, str] = field(default_factory=dict)
    entries: list[Block] = field(default_factory=list)
    zones: list[Block] = field(default_factory=list)


def calendars(lines: Iterable[tuple[int, str]]) -> list[Calendar]:
    """The file's calendars; programs that export several write them one after the other.

    Raises:
        CalendarUnreadable: the file is cut off, nested without end, or has more entries than can be handled.
    """
    cutter = _Cutter()
    for number, line in lines:
        cutter.take(number, line)
    cutter.end()
    return cutter.calendars


class _Cutter:
    def __init__(self):
        self.calendars: list[Calendar] = []
        self.calendar: Calendar | None = None
        self.block: Block | None = None
        self.inside: list[str] = []  # components open within the block
        self.entries = 0

    def take(self, number: int, line: str) -> None:
        word, _, value = line.partition(":")
        match word.strip().upper():
            case "BEGIN":
                self._begin(number, value.strip().upper(), line)
            case "END":
                self._end(value.strip().upper(), line)
            case _ if self.block:
                self._keep(line)
            case _ if self.calendar and (name := NAME.match(line)):
                self.calendar.properties.setdefault(name[1].upper(), value.strip())

    def end(self) -> None:
        if self.calendar:
            part = self.block or self.calendar
            kind = part.kind if self.block else "VCALENDAR"
            raise CalendarUnreadable(
                f"The file is cut off: {kind} begins in line {part.line} and never ends."
            )

    def _begin(self, number: int, name: str, line: str) -> None:
        if name == "VCALENDAR":
            if self.calendar:
                raise CalendarUnreadable(f"Line {number} begins a calendar within a calendar.")
            self.calendar = Calendar(number)
            self.calendars.append(self.calendar)
        elif not self.calendar:
            raise CalendarUnreadable(f"Line {number} begins {name[:40]} outside of a calendar.")
        elif not self.block or name in COMPONENTS:
            self._finish(why_broken="its END is missing" if self.block else None)
            self.block = Block(name, number)
        else:
            self.inside.append(name)
            if len(self.inside) > DEEPEST:
                raise CalendarUnreadable(f"Line {number}: components are nested deeper than any calendar's.")
            self._keep_nested(line)

    def _end(self, name: str, line: str) -> None:
        if name == "VCALENDAR":
            self._finish(why_broken="its END is missing" if self.block else None)
            self.calendar = None
        elif self.block and self.inside and name == self.inside[-1]:
            self._keep_nested(line)
            self.inside.pop()
        elif self.block and name == self.block.kind:
            self._finish(why_broken="something within it never ends" if self.inside else None)
        elif self.block:
            self.block.why_broken = f"it ends {name[:40]}, which never began"

    def _keep(self, line: str) -> None:
        if self.block.kind == "VTIMEZONE":
            self.block.lines.append(line)
        elif self.block.kind == "VEVENT" and not self.inside:
            name = NAME.match(line)
            if name and name[1].upper() in USED:
                self.block.lines.append(line)

    def _keep_nested(self, line: str) -> None:
        if self.block.kind == "VTIMEZONE":
            self.block.lines.append(line)

    def _finish(self, *, why_broken: str | None) -> None:
        if self.block:
            self.block.why_broken = why_broken or self.block.why_broken
            if self.block.kind == "VEVENT":
                self.entries += 1
                if self.entries > MOST_ENTRIES:
                    raise CalendarUnreadable(f"The file has more than {MOST_ENTRIES:,} entries; split it.")
                self.calendar.entries.append(self.block)
            elif self.block.kind == "VTIMEZONE":
                self.calendar.zones.append(self.block)
        self.block, self.inside = None, []
