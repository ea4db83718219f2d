"""A booking's history told in words, and seats said the way people say them.

History holds facts (see `bookings.services`); here they become sentences. Whoever passed a party in line
is named by size, moment and reason, never by name.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bookings.models import Booking, BookingHistory
from events.seating import Layout

PASSINGS_SHOWN = 10


@dataclass(frozen=True)
class Chapter:
    at: datetime
    title: str
    text: str
    tone: str  # good, wait, bad or plain


@dataclass(frozen=True)
class Passing:
    """Somebody who stood behind and was confirmed first."""

    at: datetime
    text: str
    reason: str


def told(entries: Iterable[BookingHistory], layout: Layout | None) -> list[Chapter]:
    """The entries of one booking, oldest first, as chapters."""
    return [Chapter(entry.created_at, *_CHAPTERS[entry.action](entry.details, layout)) for entry in entries]


def passings(booking: Booking, entries: list[BookingHistory]) -> tuple[list[Passing], bool]:
    """Who was confirmed before this party though they stood behind it, newest first, at most ten; and
    whether there were more. For one that waits or was never promoted; one query."""
    number, since = _stood(entries)
    if number is None or not (booking.is_waiting or _was_not_promoted(entries)):
        return [], False
    passed = BookingHistory.objects.passing(event_id=booking.event_id, number=number, since=since)
    found = [_passing(entry) for entry in passed[: PASSINGS_SHOWN + 1]]
    return found[:PASSINGS_SHOWN], len(found) > PASSINGS_SHOWN


def seats_in_words(seat_nos: Iterable[int], layout: Layout | None) -> str:
    """Stalls, row A, seats 3–5; row B, seat 1. Without a plan: seats 3–5."""
    runs = _runs(sorted(seat_nos), layout)
    if layout is None:
        numbers = ", ".join(_span(first, last) for first, last in runs)
        count = 2 if len(runs) > 1 or any(first != last for first, last in runs) else 1
        return ngettext("seat %(n)s", "seats %(n)s", count) % {"n": numbers} if runs else ""
    return "; ".join(_run_in_row(first, last, layout) for first, last in runs)


def party(seats: int) -> str:
    return ngettext("%(n)s seat", "%(n)s seats", seats) % {"n": seats}


# Chapters: title, text, tone


def _created(facts: dict, layout: Layout | None) -> tuple[str, str, str]:
    seats = facts.get("seats", 0)
    if facts.get("status") == "waiting":
        return (
            _("Joined the waitlist"),
            _("A party of %(n)s with waiting number %(number)s.")
            % {"n": seats, "number": facts.get("waiting_number", "–")},
            "wait",
        )
    title = _("Booked by the organizer") if facts.get("by") == "organizer" else _("Booked")
    text = _("%(seats)s: %(which)s.") % {
        "seats": party(seats),
        "which": seats_in_words(facts.get("seat_nos", []), layout),
    }
    if "stood_at" in facts:
        text += " " + _("Others waited for more seats than were free, so the rule of this event let you in.")
    return title, text, "good"


def _promoted(facts: dict, layout: Layout | None) -> tuple[str, str, str]:
    which = {
        "seats": party(facts.get("seats", 0)),
        "which": seats_in_words(facts.get("seat_nos", []), layout),
    }
    if facts.get("by") == "organizer":
        text = _("The organizer confirmed you out of turn: %(seats)s, %(which)s.") % which
        if reason := facts.get("reason"):
            text += " " + _("The reason given: “%(reason)s”") % {"reason": reason}
        return _("Moved up from the waitlist"), text, "good"
    text = _("Seats became free and it was your turn: %(seats)s, %(which)s.") % which
    return _("Moved up from the waitlist"), text, "good"


def _modified(facts: dict, layout: Layout | None) -> tuple[str, str, str]:
    was, seats = facts.get("was", 0), facts.get("seats", 0)
    gave, took = (seats_in_words(facts.get(way) or [], layout) for way in ("gave_back", "took"))
    if facts.get("because") == "capacity":
        if facts.get("waiting_number"):
            return (
                _("The event became smaller"),
                _(
                    "It now has fewer seats than your party needs. You keep your place, but can only be "
                    "confirmed if there is more room again, or if you make your party smaller."
                ),
                "wait",
            )
        return (
            _("Moved to other seats"),
            _("The event became smaller, so %(gave)s became %(took)s.") % {"gave": gave, "took": took},
            "plain",
        )
    sentences = []
    if seats != was:
        sentences.append(_("From %(was)s to %(seats)s.") % {"was": party(was), "seats": party(seats)})
    if gave:
        sentences.append(_("Given back: %(which)s.") % {"which": gave})
    if took:
        sentences.append(_("Taken: %(which)s.") % {"which": took})
    if number := facts.get("waiting_number"):
        place = (
            _("The place in line stayed (number %(n)s).") if seats < was else _("New waiting number: %(n)s.")
        )
        sentences.append(place % {"n": number})
    title = _("Changed by the organizer") if facts.get("by") == "organizer" else _("Changed")
    return title, " ".join(sentences), "plain"


def _cancelled(facts: dict, layout: Layout | None) -> tuple[str, str, str]:
    gave = seats_in_words(facts.get("gave_back") or [], layout)
    match facts.get("reason"):
        case "event_cancelled":
            title, text = _("The event was cancelled"), _("All its bookings ended with it.")
        case "not_promoted":
            title = _("The waitlist closed")
            text = _("Booking closed before enough seats became free for your party.")
        case "organizer":
            title, text = _("Cancelled by the organizer"), facts.get("words", "")
        case "deleted":
            title, text = _("Removed"), _("The booking was removed together with its event.")
        case _:
            title = _("Cancelled by you")
            text = _("Given back: %(which)s.") % {"which": gave} if gave else _("You left the line.")
    return title, text, "bad"


_CHAPTERS = {"created": _created, "promoted": _promoted, "modified": _modified, "cancelled": _cancelled}


# Standing in line


def _stood(entries: list[BookingHistory]) -> tuple[int | None, datetime | None]:
    """The booking's last waiting number, and since when it has had it."""
    number = since = None
    for entry in entries:
        given = entry.details.get("waiting_number")
        if given and given != number:
            number, since = given, entry.created_at
    return number, since


def _was_not_promoted(entries: list[BookingHistory]) -> bool:
    return bool(entries) and entries[-1].details.get("reason") == "not_promoted"


def _passing(entry: BookingHistory) -> Passing:
    facts = entry.details
    by_organizer = facts.get("by") == "organizer"
    sentence = (
        ngettext(
            "A party of %(n)s was confirmed before you by the organizer.",
            "A party of %(n)s was confirmed before you by the organizer.",
            facts.get("seats", 0),
        )
        if by_organizer
        else ngettext(
            "A party of %(n)s was confirmed before you, because it fitted into the seats that were free.",
            "A party of %(n)s was confirmed before you, because it fitted into the seats that were free.",
            facts.get("seats", 0),
        )
    )
    return Passing(
        entry.created_at,
        sentence % {"n": facts.get("seats", 0)},
        facts.get("reason", "") if by_organizer else "",
    )


# Seats


def _runs(seat_nos: list[int], layout: Layout | None) -> list[tuple[int, int]]:
    """First and last of the seats that follow each other in one row."""
    runs: list[tuple[int, int]] = []
    for seat in seat_nos:
        last = runs[-1][1] if runs else None
        if last == seat - 1 and (layout is None or layout.row_of(last) is layout.row_of(seat)):
            runs[-1] = (runs[-1][0], seat)
        else:
            runs.append((seat, seat))
    return runs


def _run_in_row(first: int, last: int, layout: Layout) -> str:
    row = layout.row_of(first)
    places = _span(first - row.first + 1, last - row.first + 1)
    words = ngettext("row %(row)s, seat %(n)s", "row %(row)s, seats %(n)s", last - first + 1) % {
        "row": row.label,
        "n": places,
    }
    return words if len(layout.sections) == 1 else f"{layout.section_of(first).name}, {words}"


def _span(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}–{last}"
