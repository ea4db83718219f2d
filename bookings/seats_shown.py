"""What everybody who may see an event sees of its seats, as its open pages are shown it live.

Public facts only, the same for all: nothing here may depend on a person. Read set-wise, for all events that
are being looked at and have changed. A part of a seat map asks for the seats of that part alone, so a house
of a million seats costs no more than what is on somebody's screen.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.template.loader import render_to_string
from django.utils import timezone, translation

from bookings.views import panel
from events.models import Event
from notifications.live import EVENTS
from notifications.live.topics import Source, Topic

MOST_SEATS = 2_000  # of one part of a map

Run = tuple[int, int]  # seats side by side, first and last


@dataclass(frozen=True)
class View:
    """How somebody looks at an event: in a language, and at a part of its seat map if at any."""

    language: str
    part: Run | None = None


def topic(event: Event, *, part: Run | None = None) -> Topic:
    """The event in the current language; `part` is ignored where it is no part of a map."""
    if part is not None and not (event.layout and 1 <= part[0] <= part[1] < part[0] + MOST_SEATS):
        part = None
    return Topic(SEATS, event.pk, View(translation.get_language(), part))


def states(topics: list[Topic]) -> dict[Topic, dict]:
    """For each: `version` of the event, `left` of `total` seats, parties `waiting`, the `state` of its panel,
    `words` as pieces of the page, and, of a part of the map, the runs of seats `taken`."""
    events = Event.objects.select_related("org", "totals").defer("layout", "description")
    found = events.in_bulk({topic.subject for topic in topics})
    there = [topic for topic in topics if topic.subject in found]
    taken = _taken(topic for topic in there if topic.variant.part)
    shown, now = {}, timezone.now()
    for topic in there:
        event = found[topic.subject]
        shown[topic] = _state(event, topic.variant.language, now=now)
        if topic.variant.part:
            shown[topic]["taken"] = _runs([*taken[topic], *_not_on_sale(event, topic.variant.part)])
    return shown


def _state(event: Event, language: str, *, now: datetime) -> dict:
    waiting = panel.parties_waiting(event)
    with translation.override(language):
        words = {
            "badge": render_to_string("components/seats_badge.html", {"event": event, "now": now}),
            "seats": render_to_string("bookings/_seats_left.html", {"event": event, "waiting": waiting}),
        }
    return {
        "version": event.version,
        "left": event.available_slots,
        "total": event.total_slots,
        "waiting": waiting,
        "state": panel.state_of(event, now=now),
        "words": {name: " ".join(piece.split()) for name, piece in words.items()},
    }


def _taken(topics: Iterable[Topic]) -> dict[Topic, list[int]]:
    """The numbers of the booked seats of each part, ascending; one query for all."""
    topics = list(topics)
    taken: dict[Topic, list[int]] = defaultdict(list)
    if not topics:
        return taken
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT part.number, seat.seat_no
            FROM unnest(%s::uuid[], %s::integer[], %s::integer[]) WITH ORDINALITY
                AS part (event_id, first_seat, last_seat, number)
            JOIN booking_seats AS seat ON seat.event_id = part.event_id AND seat.status = 'booked'
                AND seat.seat_no BETWEEN part.first_seat AND part.last_seat
            ORDER BY part.number, seat.seat_no
            """,
            [
                [topic.subject for topic in topics],
                [topic.variant.part[0] for topic in topics],
                [topic.variant.part[1] for topic in topics],
            ],
        )
        for number, seat in cursor:
            taken[topics[number - 1]].append(seat)
    return taken


def _not_on_sale(event: Event, part: Run) -> Iterable[int]:
    """A plan may be larger than what is on sale."""
    return range(max(event.total_slots + 1, part[0]), part[1] + 1)


def _runs(seats: list[int]) -> list[Run]:
    """Ascending numbers as runs."""
    runs: list[list[int]] = []
    for seat in seats:
        if runs and seat == runs[-1][1] + 1:
            runs[-1][1] = seat
        else:
            runs.append([seat, seat])
    return [tuple(run) for run in runs]


SEATS = Source(EVENTS, read=states)
