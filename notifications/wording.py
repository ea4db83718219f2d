"""What a notification says, made of the facts in its payload: a title, sentences, where it leads.

It knows no event and no booking, only what was written down when the message was owed.
"""

import logging
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.urls import reverse
from django.utils import formats
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from notifications.models import Notification

SEATS_LISTED = 8

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Message:
    notification: Notification
    title: str
    text: str
    tone: str  # good, wait, bad or plain
    url: str

    @classmethod
    def of(cls, notification: Notification) -> "Message":
        facts = notification.payload
        title, text, tone = _WORDS[notification.type](facts)
        return cls(notification, title, text, tone, _where(notification))

    @classmethod
    def of_any(cls, notification: Notification) -> "Message":
        """Where the facts are not as they should be, only what kind of message it is: one row must not take
        its person's whole inbox down."""
        try:
            return cls.of(notification)
        except Exception as error:
            logger.warning("Notification %s cannot be put into words: %r", notification.pk, error)
            return cls(notification, notification.get_type_display(), "", "plain", _where(notification))


def when(facts: dict) -> str:
    """Friday, 12 June 2026, 19:00 (Berlin time)."""
    return _moment(facts.get("starts_at"), facts.get("time_zone", "UTC"))


def when_for(facts: dict, *, zone_name: str | None) -> str:
    """The start on a reader's own clock, where that shows another time; else nothing."""
    starts_at, own = moment_of(facts, "starts_at"), _zone(zone_name)
    if not starts_at or not own:
        return ""
    if starts_at.astimezone(own).utcoffset() == starts_at.astimezone(zone_of(facts)).utcoffset():
        return ""
    return _moment(facts["starts_at"], own.key)


def seats(facts: dict) -> str:
    """2 seats: Row B, seat 3; Row B, seat 4."""
    words = _seats(facts)
    return words["seats"] + words["which"]


def one_line(words: str) -> str:
    """Fit for a header or a line of a calendar: no line breaks, nothing that cannot be printed."""
    if not words.isprintable():
        words = "".join(each if each.isprintable() else " " for each in words)
    return " ".join(words.split())


def moment_of(facts: dict, name: str) -> datetime | None:
    return datetime.fromisoformat(facts[name]) if facts.get(name) else None


def zone_of(facts: dict) -> ZoneInfo:
    """The zone of the event; UTC where this machine does not know it."""
    return _zone(facts.get("time_zone")) or ZoneInfo("UTC")


def _confirmed(facts: dict) -> tuple[str, str, str]:
    if "change" in facts:
        return (
            _("Your booking for %(title)s is changed") % _named(facts),
            _("You now hold %(seats)s%(which)s.") % _seats(facts),
            "plain",
        )
    return (
        _("You are going to %(title)s") % _named(facts),
        _("%(seats)s%(which)s. It starts on %(when)s.") % {**_seats(facts), "when": when(facts)},
        "good",
    )


def _waitlisted(facts: dict) -> tuple[str, str, str]:
    number = {"n": facts.get("waiting_number", "–"), **_seats(facts)}
    change = facts.get("change") or {}
    if "capacity" in change:
        return (
            _("%(title)s became smaller than your party") % _named(facts),
            _(
                "It now has %(capacity)s seats, and you wait for more. You keep your place in line, and "
                "could make your party smaller."
            )
            % {"capacity": change["capacity"]},
            "wait",
        )
    if change:
        return (
            _("Your place in line for %(title)s is changed") % _named(facts),
            _("You now wait for %(seats)s with number %(n)s.") % number,
            "wait",
        )
    return (
        _("You are in line for %(title)s") % _named(facts),
        _("You wait for %(seats)s with number %(n)s. You will be told as soon as it is your turn.") % number,
        "wait",
    )


def _cancelled(facts: dict) -> tuple[str, str, str]:
    title = _("Your booking for %(title)s is cancelled") % _named(facts)
    match facts.get("reason"):
        case "not_promoted":
            return (
                _("No seats became free for %(title)s") % _named(facts),
                _("Booking has closed and the line with it. Thank you for waiting."),
                "bad",
            )
        case "organizer":
            return title, facts.get("words") or _("The organizer cancelled it."), "bad"
        case _:
            return title, _("You gave back %(seats)s.") % _seats(facts), "plain"


def _promoted(facts: dict) -> tuple[str, str, str]:
    return (
        _("Your turn: you are going to %(title)s") % _named(facts),
        _("Seats became free. You now hold %(seats)s%(which)s. It starts on %(when)s.")
        % {**_seats(facts), "when": when(facts)},
        "good",
    )


def _event_updated(facts: dict) -> tuple[str, str, str]:
    place = facts.get("place")
    was = (facts.get("change") or {}).get("was") or {}
    if set(was) == {"online_url"} and facts.get("online_url"):
        return (
            _("%(title)s has a new link to join") % _named(facts),
            _("The link to join is another one now. It starts on %(when)s, as before.")
            % {"when": when(facts)},
            "wait",
        )
    text = _("It now starts on %(when)s.") % {"when": when(facts)}
    if place:
        text = _("It now starts on %(when)s, at %(place)s.") % {"when": when(facts), "place": place}
    return _("%(title)s has a new time or place") % _named(facts), text, "wait"


def _event_cancelled(facts: dict) -> tuple[str, str, str]:
    text = facts.get("reason") or _("The organizer gave no reason.")
    return _("%(title)s is cancelled") % _named(facts), text, "bad"


def _reminder(facts: dict) -> tuple[str, str, str]:
    return (
        _("Coming up: %(title)s") % _named(facts),
        _("It starts on %(when)s.") % {"when": when(facts)},
        "plain",
    )


_WORDS = {
    "booking_confirmed": _confirmed,
    "booking_waitlisted": _waitlisted,
    "booking_cancelled": _cancelled,
    "waitlist_promoted": _promoted,
    "event_updated": _event_updated,
    "event_cancelled": _event_cancelled,
    "event_reminder": _reminder,
}


def _named(facts: dict) -> dict:
    return {"title": facts.get("title", _("an event"))}


def _seats(facts: dict) -> dict:
    """`seats`: how many, in words; `which`: the seats after a colon, where they are known."""
    seats = facts.get("seats", 0)
    labels = facts.get("seat_labels") or []
    which = "; ".join(labels[:SEATS_LISTED]) + ("; …" if len(labels) > SEATS_LISTED else "")
    if which and all(label.isdigit() for label in labels):
        which = _("number %(numbers)s") % {"numbers": which.replace(";", ",")}
    return {
        "seats": ngettext("%(n)s seat", "%(n)s seats", seats) % {"n": seats},
        "which": f": {which}" if which else "",
    }


def _moment(written: str | None, zone_name: str) -> str:
    return _moment_in(get_language(), written, zone_name) if written else "–"


@lru_cache(maxsize=1_000)
def _moment_in(_language: str | None, written: str, zone_name: str) -> str:
    """Kept, because all who are told of an event are told the same."""
    zone = _zone(zone_name) or ZoneInfo("UTC")
    local = datetime.fromisoformat(written).astimezone(zone)
    place = zone.key.rsplit("/", 1)[-1].replace("_", " ")
    words = _("%(place)s time") % {"place": place} if "/" in zone.key else zone.key
    return f"{formats.date_format(local, 'l, j F Y, H:i')} ({words})"


def _zone(name: str | None) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _where(notification: Notification) -> str:
    if notification.booking_id:
        return page("booking_detail", notification.booking_id)
    if notification.event_id:
        return page("event_detail", notification.event_id)
    return ""


@lru_cache(maxsize=1_000)
def page(name: str, row_id: UUID) -> str:
    """The address of a page about one row, without the site."""
    return reverse(name, args=[row_id])
