"""The booking as an entry in its person's calendar, brought up to date by each mail (iTIP, RFC 5546).

One entry a booking: its UID never changes. SEQUENCE adds up the event's changes of time and place and the
booking's own, both of which only ever grow; sending the same news again changes nothing. Confirmed seats are
a REQUEST, accepted already and with no reply asked for; giving them up, or the event's end, is a CANCEL.
Who waits has no entry.
"""

from dataclasses import dataclass
from datetime import date
from email.utils import parseaddr
from functools import lru_cache
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse
from icalendar import Calendar, Timezone, vCalAddress, vText
from icalendar import Event as Entry

from notifications import wording
from notifications.models import Notification
from notifications.states import Taken

REQUEST, CANCEL = "REQUEST", "CANCEL"
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


def of(taken: Taken) -> Invite | None:
    row = taken.notification
    method = method_of(row)
    if method is None:
        return None
    calendar = Calendar()
    calendar.add("prodid", "-//Happening//Bookings//EN")
    calendar.add("version", "2.0")
    calendar.add("method", method)
    entry = _entry(taken, method)
    calendar.add_component(entry)
    zone, starts = wording.zone_of(row.payload), wording.moment_of(row.payload, "starts_at")
    rules = _rules(zone.key, starts.year) if zone.key != "UTC" else ""
    return Invite(method, calendar.to_ical().decode().replace("BEGIN:VEVENT", f"{rules}BEGIN:VEVENT", 1))


def _entry(taken: Taken, method: str) -> Entry:
    row, facts = taken.notification, taken.notification.payload
    entry = Entry()
    entry.add("uid", f"booking-{row.booking_id}@{urlsplit(settings.SITE_URL).hostname}")
    entry.add("sequence", facts.get("sequence", 0) + facts.get("booking_version", 1) - 1)
    entry.add("dtstamp", row.created_at)
    zone = wording.zone_of(facts)
    entry.add("dtstart", wording.moment_of(facts, "starts_at").astimezone(zone))
    if facts.get("ends_at"):
        entry.add("dtend", wording.moment_of(facts, "ends_at").astimezone(zone))
    entry.add("summary", _plain(facts.get("title", "")))
    if place := facts.get("place") or facts.get("online_url"):
        entry.add("location", _plain(place))
    entry.add("description", wording.Message.of(row).text)
    entry.add("url", settings.SITE_URL.rstrip("/") + reverse("booking_detail", args=[row.booking_id]))
    entry.add("status", "CANCELLED" if method == CANCEL else "CONFIRMED")
    entry.add(
        "organizer", _address(parseaddr(settings.DEFAULT_FROM_EMAIL)[1], taken.organization or "Happening")
    )
    attendee = _address(taken.email, taken.name or taken.email)
    attendee.params |= {
        "ROLE": vText("REQ-PARTICIPANT"),
        "PARTSTAT": vText("ACCEPTED"),
        "RSVP": vText("FALSE"),
    }
    entry.add("attendee", attendee, encode=0)
    return entry


def _address(email: str, name: str) -> vCalAddress:
    address = vCalAddress(f"mailto:{email}")
    address.params["CN"] = vText(_plain(name).replace('"', "'"))
    return address


def _plain(words: str) -> str:
    return " ".join("".join(each if each.isprintable() else " " for each in words).split())


@lru_cache(maxsize=256)
def _rules(zone_name: str, year: int) -> str:
    """The zone's rules around a year, as lines; made once, because that takes longer than all the rest."""
    first, last = date(year - 1, 1, 1), date(year + 2, 1, 1)
    return Timezone.from_tzid(zone_name, first_date=first, last_date=last).to_ical().decode()
