"""A seating plan as something to choose from: sections, rows and seats, each with a name to read aloud.

A small room is shown whole. A hall is shown in parts, a section or some rows of one at a time, so that
the page stays light; what is taken is asked for the part that is shown.
"""

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Count, F, Func, Value
from django.utils.translation import gettext as _

from events.models import Event
from events.seating import Layout, Row, Section

SHOWN_WHOLE = 400  # seats
MOST_IN_A_PART = 600
COUNTED = 20_000  # seats of an event up to which the parts say how many are left


@dataclass(frozen=True)
class Spot:
    number: int
    place: int
    name: str
    is_wheelchair: bool
    is_taken: bool
    is_chosen: bool
    is_own: bool
    ends_block: bool


@dataclass(frozen=True)
class ShownRow:
    label: str
    spots: list[Spot]


@dataclass(frozen=True)
class ShownSection:
    name: str
    rows: list[ShownRow]


@dataclass
class Part:
    """What is shown at once: `pieces` are sections with those of their rows that belong to it."""

    title: str
    pieces: list[tuple[Section, tuple[Row, ...]]]
    left: int | None = None

    @property
    def first(self) -> int:
        return self.pieces[0][1][0].first

    @property
    def last(self) -> int:
        return self.pieces[-1][1][-1].last


@dataclass(frozen=True)
class SeatMap:
    parts: list[Part]
    shown: int  # which part, from 1
    sections: list[ShownSection]
    kept: list[int]  # chosen seats that lie in other parts

    @property
    def has_parts(self) -> bool:
        return len(self.parts) > 1

    @property
    def here(self) -> Part:
        return self.parts[self.shown - 1]

    @property
    def title(self) -> str:
        return self.here.title


def seat_map(
    event: Event, layout: Layout, *, part: str = "", chosen: Collection[int] = (), own: Collection[int] = ()
) -> SeatMap:
    """The map with what is taken by now, in one query, or two where there are parts.

    Args:
        part: which one to show, from 1, as it stands in an address; what is no part shows the one in
            which the first chosen seat lies, else the first.
        chosen: seats that are to be ticked.
        own: seats of the booking that is being changed; they are taken, but by the one who looks.
    """
    parts = _parts(layout)
    shown = _which(parts, part, chosen)
    here = parts[shown - 1]
    booked = event.booked_seats.booked()
    taken = set(booked.filter(seat_no__range=(here.first, here.last)).values_list("seat_no", flat=True))
    if len(parts) > 1 and event.total_slots <= COUNTED:
        _count_left(booked, parts)
    taken.update(range(event.total_slots + 1, here.last + 1))  # a plan may be larger than what is on sale
    return SeatMap(
        parts,
        shown,
        [
            ShownSection(section.name, [_shown_row(row, taken, set(chosen), set(own)) for row in rows])
            for section, rows in here.pieces
        ],
        [seat for seat in chosen if not here.first <= seat <= here.last],
    )


def _shown_row(row: Row, taken: set[int], chosen: set[int], own: set[int]) -> ShownRow:
    return ShownRow(
        row.label,
        [
            Spot(
                number=seat.number,
                place=seat.place,
                name=_name(row, seat, is_taken=seat.number in taken - own),
                is_wheelchair=seat.is_wheelchair,
                is_taken=seat.number in taken - own,
                is_chosen=seat.number in chosen and seat.number not in taken - own,
                is_own=seat.number in own,
                ends_block=seat.place in row.aisles,
            )
            for seat in row
        ],
    )


def _name(row: Row, seat, *, is_taken: bool) -> str:
    name = _("Row %(row)s, seat %(place)s") % {"row": row.label, "place": seat.place}
    if seat.is_wheelchair:
        name = _("%(seat)s, wheelchair place") % {"seat": name}
    return _("%(seat)s, taken") % {"seat": name} if is_taken else name


def _parts(layout: Layout) -> list[Part]:
    if layout.seats <= SHOWN_WHOLE:
        return [Part("", [(section, section.rows) for section in layout.sections])]
    parts = []
    for section in layout.sections:
        pieces = _pieces(section)
        for rows in pieces:
            title = section.name
            if len(pieces) > 1:
                title = _("%(section)s, rows %(first)s–%(last)s") % {
                    "section": section.name,
                    "first": rows[0].label,
                    "last": rows[-1].label,
                }
            parts.append(Part(title, [(section, rows)]))
    return parts


def _pieces(section: Section) -> list[tuple[Row, ...]]:
    """The section's rows in pieces of a bearable size, at least a row each."""
    pieces, piece = [], []
    for row in section.rows:
        if piece and row.last - piece[0].first >= MOST_IN_A_PART:
            pieces.append(tuple(piece))
            piece = []
        piece.append(row)
    return [*pieces, tuple(piece)]


def _which(parts: list[Part], asked: str, chosen: Collection[int]) -> int:
    if asked.isascii() and asked.isdigit() and 1 <= int(asked[:6]) <= len(parts):
        return int(asked[:6])
    for seat in chosen:
        for number, part in enumerate(parts, start=1):
            if part.first <= seat <= part.last:
                return number
    return 1


def _count_left(booked, parts: list[Part]) -> None:
    bucket = Func(F("seat_no"), Value([part.first for part in parts]), function="width_bucket")
    counts = dict(booked.values_list(bucket).annotate(Count("id")).order_by())
    for number, part in enumerate(parts, start=1):
        part.left = part.last - part.first + 1 - counts.get(number, 0)
