"""From a calendar's bytes to facts.

Bounds, so that no file can keep a machine busy: entries and nesting (`blocks`), rules (`rules`), times of a
series, events of a file, and how long reading may take in all.
"""

import time
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta

from events.ical import entries, series
from events.ical.blocks import Block, Calendar, calendars
from events.ical.entries import Entry, entry_of
from events.ical.errors import CalendarUnreadable, EntryRefused
from events.ical.facts import Occurrence, Reading, Skipped
from events.ical.identity import identity_of, shortened
from events.ical.lines import logical_lines
from events.ical.zones import Zone, Zones, known_zone, only_zone

MOST_TIMES = 1_000  # of one series
MOST_EVENTS = 20_000  # of one file
PATIENCE = 60  # seconds for the whole file


def read(data: bytes, *, now: datetime, horizon: timedelta, time_zone: str | None = None) -> Reading:
    """What the calendar `data` holds from `now` on, its series followed for `horizon`.

    `time_zone` is where floating times and whole days are in a calendar that does not say.

    Raises:
        CalendarUnreadable: the file as a whole cannot be used.
    """
    reader = _Reader(now=now, until=now + horizon, fallback=_zone(time_zone))
    for calendar in calendars(logical_lines(data)):
        reader.take(calendar)
    return reader.reading


def _zone(name: str | None) -> Zone | None:
    zone = known_zone(name) if name else None
    if name and zone is None:
        raise CalendarUnreadable(f"There is no time zone “{name}”.")
    return zone


class _Reader:
    def __init__(self, *, now: datetime, until: datetime, fallback: Zone | None):
        self.now, self.until, self.fallback = now, until, fallback
        self.reading = Reading()
        self.seen: dict[str, int] = {}  # identity -> the line that said it first
        self.begun = time.monotonic()

    def take(self, calendar: Calendar) -> None:
        scale = calendar.properties.get("CALSCALE", "GREGORIAN")
        if scale.upper() != "GREGORIAN":
            raise CalendarUnreadable(f"This calendar counts days in another way ({scale[:40]}).")
        zones = self._zones(calendar)
        by_uid: dict[str, list[Entry]] = defaultdict(list)
        for block in calendar.entries:
            self._have_patience()
            if entry := self._entry(block, zones, calendar):
                by_uid[entry.uid].append(entry)
        for uid, group in by_uid.items():
            self._have_patience()
            self._take_group(uid, group, zones.default)
        self.reading.notes += zones.notes

    def _zones(self, calendar: Calendar) -> Zones:
        named = calendar.properties.get("X-WR-TIMEZONE", "")
        if named and known_zone(named) is None:
            self.reading.notes.append(f"The calendar's time zone “{named[:60]}” is not known.")
        default = known_zone(named) or self.fallback or only_zone(calendar.zones) or known_zone("UTC")
        return Zones(calendar.zones, default=default, now=self.now)

    def _entry(self, block: Block, zones: Zones, calendar: Calendar) -> Entry | None:
        is_withdrawn = calendar.properties.get("METHOD", "").upper() == "CANCEL"
        try:
            return entry_of(block, zones, until=self.until, is_withdrawn=is_withdrawn)
        except EntryRefused as refusal:
            self._skip(entries.name_of(block), str(refusal))
        except (ValueError, TypeError, OverflowError) as error:
            self._skip(entries.name_of(block), f"it cannot be read ({str(error)[:80]})")
        return None

    def _take_group(self, uid: str, group: list[Entry], default: Zone) -> None:
        first = group[0]
        try:
            if any(entry.repeats or entry.recurrence is not None for entry in group):
                self._take_series(uid, group, default)
            else:
                latest = max(group, key=lambda entry: entry.sequence)
                self._add(_occurrence(latest, latest.start, latest.end, shortened(uid), uid, default))
        except EntryRefused as refusal:
            self._skip(f"“{first.title}” (line {first.line})", str(refusal))
        except (ValueError, TypeError, OverflowError) as error:
            self._skip(f"“{first.title}” (line {first.line})", f"it cannot be read ({str(error)[:80]})")

    def _take_series(self, uid: str, group: list[Entry], default: Zone) -> None:
        found = [
            _occurrence(
                time.entry, time.start, time.end, identity_of(uid, series.key_of(time.slot)), uid, default
            )
            for time in series.times_of(group, after=self.now, before=self.until)
        ]
        found = [one for one in found if one.event_date <= self.until and not one.is_over(at=self.now)]
        self.reading.past += not found and _moment(group[0].start, default) < self.now
        if len(found) > MOST_TIMES:
            self.reading.notes.append(
                f"“{group[0].title}” (line {group[0].line}) repeats {len(found):,} times "
                f"until {self.until:%Y-%m-%d}: the first {MOST_TIMES:,} are taken."
            )
        for occurrence in found[:MOST_TIMES]:
            self._add(occurrence)
        self.reading.withdrawn |= {
            identity_of(uid, series.key_of(slot)) for slot in series.slots_left_out(group)
        }

    def _add(self, occurrence: Occurrence) -> None:
        if first := self.seen.get(occurrence.identity):
            self._skip(occurrence.name, f"it stands in line {first} already")
            return
        self.seen[occurrence.identity] = occurrence.line
        self.reading.occurrences.append(occurrence)
        if len(self.reading.occurrences) > MOST_EVENTS:
            raise CalendarUnreadable(
                f"The file makes more than {MOST_EVENTS:,} events; choose a nearer horizon or split the file."
            )

    def _skip(self, name: str, why: str) -> None:
        self.reading.skipped.append(Skipped(name, why))

    def _have_patience(self) -> None:
        if time.monotonic() - self.begun > PATIENCE:
            raise CalendarUnreadable(f"Reading the file takes longer than {PATIENCE} seconds; split it.")


def _occurrence(
    entry: Entry, start: date, end: date | None, identity: str, uid: str, default: Zone
) -> Occurrence:
    return Occurrence(
        identity=identity,
        series=shortened(uid),
        line=entry.line,
        event_date=_moment(start, default),
        ends_at=_moment(end, default) if end else None,
        time_zone=(entry.zone if isinstance(start, datetime) else default).name,
        title=entry.title,
        description=entry.description,
        category=entry.category,
        place=entry.place,
        online_url=entry.online_url,
        is_private=entry.is_private,
        is_cancelled=entry.is_cancelled,
    )


def _moment(time: date, zone: Zone) -> datetime:
    if not isinstance(time, datetime):
        time = datetime(time.year, time.month, time.day, tzinfo=zone.tzinfo)
    return time.astimezone(UTC)
