"""One entry of a calendar: its words, and when it is and repeats.

Each property is read by itself with `icalendar`; what an event cannot do without is refused with its reason,
what it can do without is left out.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from icalendar.parser import Contentline, Parameters
from icalendar.parser.property import split_on_unescaped_comma
from icalendar.prop import vDDDTypes, vRecur

from events.ical import texts
from events.ical.blocks import Block
from events.ical.categories import category_of
from events.ical.errors import EntryRefused
from events.ical.rules import checked
from events.ical.zones import Zone, Zones

FIRST_YEAR, LAST_YEAR = 1900, 2200
MOST_RULES = 10
MOST_DATES = 20_000
JOIN = ("CONFERENCE", "X-GOOGLE-CONFERENCE", "X-MICROSOFT-SKYPETEAMSMEETINGURL")


@dataclass(frozen=True)
class Property:
    """A line in its parts. `text` has its escapes undone; `raw` is as it stands."""

    line: Contentline
    params: Parameters
    raw: str

    @property
    def text(self) -> str:
        return self.line.parts()[2]


@dataclass
class Entry:
    """Times are dates, for whole days, or moments with a zone. `shift` is set where this entry moves all
    later times of its series as well (RANGE=THISANDFUTURE)."""

    line: int
    uid: str
    title: str
    start: date
    end: date | None
    zone: Zone
    description: str | None = None
    category: str | None = None
    place: str | None = None
    online_url: str | None = None
    is_private: bool = False
    is_cancelled: bool = False
    sequence: int = 0
    recurrence: date | None = None
    moves_later_ones: bool = False
    rules: list[vRecur] = field(default_factory=list)
    added: list = field(default_factory=list)
    left_out: list[date] = field(default_factory=list)

    @property
    def repeats(self) -> bool:
        return bool(self.rules or self.added or self.left_out)


class Properties:
    """The properties of a block by name."""

    def __init__(self, block: Block, zones: Zones):
        self.block, self.zones = block, zones
        self.by_name: dict[str, list[Property]] = {}
        for line in block.lines:
            content = Contentline(line)
            try:
                name, params, raw = content.raw_parts()
            except ValueError:
                continue  # not a property at all: the entry is read without it
            self.by_name.setdefault(name.upper(), []).append(Property(content, params, raw))

    def all(self, name: str) -> list[Property]:
        return self.by_name.get(name, [])

    def first(self, name: str) -> Property | None:
        return next(iter(self.all(name)), None)

    def text(self, name: str) -> str:
        found = self.first(name)
        return found.text.strip() if found else ""

    def zone(self, found: Property) -> Zone:
        name = found.params.get("TZID")
        return self.zones.named(str(name)) if name and not found.raw.endswith("Z") else self.zones.default

    def time(self, found: Property, value: str | None = None):
        """The value of a time as a date, a moment with a zone, or a period of such."""
        name = str(found.line)[:40].split(":")[0].split(";")[0]
        try:
            time = vDDDTypes.from_ical(found.raw.strip() if value is None else value.strip())
        except (ValueError, TypeError):
            raise EntryRefused(f"its {name} “{found.raw[:40]}” is no time") from None
        if isinstance(time, tuple):
            begin, end = time
            return self._placed(begin, found), end if isinstance(end, timedelta) else self._placed(end, found)
        return self._placed(time, found)

    def times(self, name: str) -> list:
        values = [
            (found, value) for found in self.all(name) for value in found.raw.split(",") if value.strip()
        ]
        if len(values) > MOST_DATES:
            raise EntryRefused(f"it names more than {MOST_DATES:,} dates")
        return [self.time(found, value) for found, value in values]

    def _placed(self, time, found: Property):
        if not isinstance(time, date):
            raise EntryRefused(f"“{found.raw[:40]}” is no time")
        if not FIRST_YEAR <= time.year <= LAST_YEAR:
            raise EntryRefused(f"it is in the year {time.year}")
        if not isinstance(time, datetime):
            return time
        if str(found.params.get("VALUE", "")).upper() == "DATE":
            return time.date()
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=self.zone(found).tzinfo)


def entry_of(block: Block, zones: Zones, *, until: datetime, is_withdrawn: bool = False) -> Entry:
    """The block as an entry; rules are checked for being looked ahead with to `until`.

    Raises:
        EntryRefused: the reason, to stand beside the entry's name.
    """
    if block.why_broken:
        raise EntryRefused(block.why_broken)
    found = Properties(block, zones)
    uid = texts.UNSEEN.sub("", found.text("UID"))
    if not uid:
        raise EntryRefused("it has no UID, so it could not be found again")
    starts = found.first("DTSTART")
    if starts is None:
        raise EntryRefused("it has no start")
    start = found.time(starts)
    if isinstance(start, tuple):
        raise EntryRefused(f"its DTSTART “{starts.raw[:40]}” is no time")
    if found.all("EXRULE"):
        raise EntryRefused("it leaves out times by a rule (EXRULE), which calendars have given up")
    if len(found.all("RRULE")) > MOST_RULES:
        raise EntryRefused(f"it has more than {MOST_RULES} rules of repetition")
    recurrence = found.first("RECURRENCE-ID")
    return Entry(
        line=block.line,
        uid=uid,
        start=start,
        end=_end(found, start),
        zone=found.zone(starts),
        sequence=_number(found.text("SEQUENCE")),
        recurrence=found.time(recurrence) if recurrence else None,
        moves_later_ones=bool(recurrence) and recurrence.params.get("RANGE") == "THISANDFUTURE",
        rules=[checked(_rule(rule), start=start, until=until) for rule in found.all("RRULE")],
        added=found.times("RDATE"),
        left_out=[time for time in found.times("EXDATE") if isinstance(time, date)],
        is_cancelled=is_withdrawn or found.text("STATUS").upper() == "CANCELLED",
        **_words(found),
    )


def name_of(block: Block) -> str:
    """What a block that cannot be read calls itself."""
    facts = {}
    for line in block.lines:
        word, _, value = line.partition(":")
        facts.setdefault(word.split(";")[0].strip().upper(), value)
    named = texts.title(facts.get("SUMMARY", ""))[:80]
    start = texts.title(facts["DTSTART"])[:40] if facts.get("DTSTART", "").strip() else ""
    return f"“{named}” ({start}, line {block.line})" if start else f"“{named}” (line {block.line})"


def _words(found: Properties) -> dict:
    place, online_url = texts.place(found.text("LOCATION")) or None, None
    if place and (address := texts.web_address(place)):
        place, online_url = "Online", address  # a link to join is for those who have booked
    joins = (found.first(name) for name in JOIN)
    addresses = (texts.web_address(join.raw) for join in joins if join)
    url = found.first("URL")
    described = texts.description(found.text("DESCRIPTION")) or texts.description(found.text("X-ALT-DESC"))
    labels = [label for p in found.all("CATEGORIES") for label in split_on_unescaped_comma(p.raw)]
    return {
        "title": texts.title(found.text("SUMMARY")),
        "description": described or None,
        "category": category_of([label for label in labels if label.strip()]),
        "place": place,
        "online_url": next(filter(None, addresses), None)
        or online_url
        or (texts.web_address(url.raw) if url else None),
        "is_private": found.text("CLASS").upper() in ("PRIVATE", "CONFIDENTIAL"),
    }


def _end(found: Properties, start: date) -> date | None:
    """When it ends, exclusive; None where that is not said. A whole day ends when the next one begins."""
    end = None
    if ends := found.first("DTEND"):
        end = found.time(ends)
    elif duration := found.first("DURATION"):
        try:
            length = vDDDTypes.from_ical(duration.raw.strip())
            if not isinstance(length, timedelta):
                raise ValueError(duration.raw)
            end = _later(start, length)
        except (ValueError, TypeError, OverflowError):
            raise EntryRefused(f"its DURATION “{duration.raw[:40]}” is no length of time") from None
    if isinstance(end, tuple) or (
        end is not None and isinstance(end, datetime) != isinstance(start, datetime)
    ):
        raise EntryRefused("it begins on a day and ends at a time, or the other way round")
    if end is not None and end < start:
        raise EntryRefused("it ends before it starts")
    if not isinstance(start, datetime) and (end is None or end == start):
        end = start + timedelta(days=1)
    return None if end == start else end


def _later(start: date, length: timedelta) -> date:
    """`length` after `start`: days on the calendar of the place, hours by the clock of the world."""
    if not isinstance(start, datetime):
        return start + length
    after = start + timedelta(days=length.days)
    exact = timedelta(seconds=length.seconds)
    return (after.astimezone(UTC) + exact).astimezone(start.tzinfo)


def _rule(found: Property) -> vRecur:
    try:
        return vRecur.from_ical(found.raw)
    except (ValueError, TypeError):
        raise EntryRefused(f"its rule of repetition makes no sense ({found.raw[:80]})") from None


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
