"""The booking as an entry in its person's calendar, brought up to date by each mail (iTIP, RFC 5546).

One entry a booking: its UID never changes. SEQUENCE adds up the event's changes of time and place and the
booking's own, both of which only ever grow; sending the same news again changes nothing. Confirmed seats are
a REQUEST, accepted already and with no reply asked for; giving them up, or the event's end, is a CANCEL.
Who waits has no entry. Its lines are written here, in the library's own words and folds: a mail is made for
each of a hundred thousand people, and its tree of objects costs five times as much.
"""

from dataclasses import dataclass
from datetime import date, datetime
from email.utils import parseaddr
from functools import lru_cache
from urllib.parse import urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from icalendar import Timezone, vText
from icalendar.parser import Contentline

from notifications import wording
from notifications.models import Notification
from notifications.taking import Taken
from notifications.wording import one_line

REQUEST, CANCEL = "REQUEST", "CANCEL"
UTC_ZONE = ZoneInfo("UTC")
FOLD = 74
_METHODS = {
    "booking_confirmed": REQUEST,
    "waitlist_promoted": REQUEST,
    "event_updated": REQUEST,
    "booking_cancelled": CANCEL,
    "event_cancelled": CANCEL,
}


@dataclass(frozen=True)
class Invite:
    method: str
    text: str


def method_of(row: Notification) -> str | None:
    """What a notification does to its person's calendar; None: nothing, as for whoever waits, or where the
    facts do not say which state of the booking they tell of."""
    facts = row.payload
    if not row.booking_id or "booking_version" not in facts or facts.get("waits"):
        return None
    return _METHODS.get(row.type)


def of(taken: Taken, told: wording.Message) -> list[Invite]:
    """The entries that go with a notification, one for each booking with seats, described by its words."""
    row = taken.notification
    method = method_of(row)
    if method is None:
        return []
    zone, starts = wording.zone_of(row.payload), wording.moment_of(row.payload, "starts_at")
    rules = _rules(zone.key, starts.year) if zone.key != "UTC" else ""
    begin = (
        f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Happening//Bookings//EN\r\nMETHOD:{method}\r\n{rules}"
    )
    return [
        Invite(method, f"{begin}{_entry(taken, told, method, **booking)}END:VCALENDAR\r\n")
        for booking in row.bookings()
        if not booking.get("waits")
    ]


def _entry(taken: Taken, told: wording.Message, method: str, *, booking_id: str, booking_version: int) -> str:
    row, facts = taken.notification, taken.notification.payload
    zone, ends = wording.zone_of(facts), wording.moment_of(facts, "ends_at")
    place = facts.get("place") or facts.get("online_url")
    site, sender = settings.SITE_URL.rstrip("/"), _sender(settings.DEFAULT_FROM_EMAIL)
    lines = [
        "BEGIN:VEVENT",
        f"SUMMARY:{_text(one_line(facts.get('title', '')))}",
        f"DTSTART{_moment(wording.moment_of(facts, 'starts_at'), zone)}",
        f"DTEND{_moment(ends, zone)}" if ends else "",
        f"DTSTAMP{_moment(row.created_at, UTC_ZONE)}",
        f"UID:booking-{booking_id}@{urlsplit(site).hostname}",
        f"SEQUENCE:{facts.get('sequence', 0) + booking_version - 1}",
        f"ATTENDEE;CN={_quoted(taken.name or taken.email)};PARTSTAT=ACCEPTED;ROLE=REQ-PARTICIPANT;RSVP=FALSE"
        f":mailto:{taken.email}",
        f"DESCRIPTION:{_text(told.text)}",
        f"LOCATION:{_text(one_line(place))}" if place else "",
        f"ORGANIZER;CN={_quoted(taken.organization or 'Happening')}:mailto:{sender}",
        f"STATUS:{'CANCELLED' if method == CANCEL else 'CONFIRMED'}",
        f"URL:{site}{wording.page('booking_detail', UUID(booking_id))}",
        "END:VEVENT",
    ]
    return "".join(f"{_folded(line)}\r\n" for line in lines if line)


def _moment(moment: datetime, zone: ZoneInfo) -> str:
    local = f"{moment.astimezone(zone):%Y%m%dT%H%M%S}"
    return f":{local}Z" if zone.key == "UTC" else f";TZID={zone.key}:{local}"


def _text(words: str) -> str:
    return vText(words).to_ical().decode()


def _quoted(name: str) -> str:
    return '"' + one_line(name).replace('"', "'") + '"'


@lru_cache(maxsize=1)
def _sender(written: str) -> str:
    return parseaddr(written)[1]


def _folded(line: str) -> str:
    """Lines of 75 octets at most: a longer one goes on in the next, which begins with a space. A sign that
    takes the meaning from the one behind it stays with it."""
    if not line.isascii():
        return Contentline(line).to_ical().decode()
    pieces = []
    while len(line) > FOLD:
        end = FOLD - (line[FOLD - 1] in "\\^")
        pieces.append(line[:end])
        line = line[end:]
    return "\r\n ".join([*pieces, line])


@lru_cache(maxsize=256)
def _rules(zone_name: str, year: int) -> str:
    """The zone's rules around a year, as lines; made once, because that takes longer than all the rest."""
    first, last = date(year - 1, 1, 1), date(year + 2, 1, 1)
    return Timezone.from_tzid(zone_name, first_date=first, last_date=last).to_ical().decode()
