"""A seating plan: sections of rows of numbered seats.

    {"sections": [{"name": "Stalls",
                   "rows": [{"label": "A", "seats": 24, "aisles": [12], "wheelchair": [1, 24]}]}]}

Seats are numbered through the whole plan from 1, in the order in which sections and rows are written;
`aisles` are the seats of a row after which an aisle runs, `wheelchair` those that are wheelchair places,
both counted within the row. People who sit side by side sit in one *block*: a row's piece between aisles.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

LARGEST = 1_000_000


class LayoutError(ValueError):
    """The plan cannot be read; the message says where and why."""


@dataclass(frozen=True)
class Seat:
    number: int
    place: int  # within the row, from 1
    is_wheelchair: bool


@dataclass(frozen=True)
class Row:
    label: str
    first: int
    seats: int
    aisles: tuple[int, ...] = ()
    wheelchair: frozenset[int] = frozenset()

    @property
    def last(self) -> int:
        return self.first + self.seats - 1

    @property
    def blocks(self) -> Iterator[tuple[int, int]]:
        """First and last seat number of each piece without an aisle."""
        start = self.first
        for aisle in (*self.aisles, self.seats):
            yield start, self.first + aisle - 1
            start = self.first + aisle

    def __iter__(self) -> Iterator[Seat]:
        for place in range(1, self.seats + 1):
            yield Seat(self.first + place - 1, place, place in self.wheelchair)


@dataclass(frozen=True)
class Section:
    name: str
    rows: tuple[Row, ...]

    @property
    def first(self) -> int:
        return self.rows[0].first

    @property
    def last(self) -> int:
        return self.rows[-1].last


@dataclass(frozen=True)
class Layout:
    sections: tuple[Section, ...]

    @classmethod
    def parse(cls, plan: dict) -> "Layout":
        """Read a plan as it is stored.

        Raises:
            LayoutError: it is not a plan, or not one that can be built.
        """
        number, sections = 1, []
        for section in _list(plan, "sections", "The plan"):
            name = _label(section, "name", "A section")
            rows = []
            for row in _list(section, "rows", f"Section {name}"):
                rows.append(_row(row, first=number, section=name))
                number = rows[-1].last + 1
                if number - 1 > LARGEST:
                    raise LayoutError(f"The plan has more than {LARGEST:,} seats.")
            sections.append(Section(name, tuple(rows)))
        return cls(tuple(sections))

    @property
    def seats(self) -> int:
        return self.sections[-1].last

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        return tuple(row for section in self.sections for row in section.rows)

    @cached_property
    def blocks(self) -> tuple[tuple[int, int], ...]:
        """First and last seat number of each run of seats side by side, in order."""
        return tuple(block for row in self.rows for block in row.blocks)

    def section_of(self, number: int) -> Section:
        return self.sections[bisect_right([section.first for section in self.sections], number) - 1]

    def row_of(self, number: int) -> Row:
        return self.rows[bisect_right(self._row_starts, number) - 1]

    def label(self, number: int) -> str:
        """What stands on the seat: "Stalls, row A, seat 3"; without the name of an only section."""
        row = self.row_of(number)
        seat = f"row {row.label}, seat {number - row.first + 1}"
        if len(self.sections) == 1:
            return seat[0].upper() + seat[1:]
        return f"{self.section_of(number).name}, {seat}"

    @cached_property
    def _row_starts(self) -> list[int]:
        return [row.first for row in self.rows]


def _row(row, *, first: int, section: str) -> Row:
    label = _label(row, "label", f"A row of section {section}")
    where = f"Row {label} of section {section}"
    seats = row.get("seats")
    if not _is_count(seats) or not 1 <= seats <= LARGEST:
        raise LayoutError(f"{where} needs a number of seats from 1 up.")
    aisles = _places(row, "aisles", below=seats, where=where)
    wheelchair = _places(row, "wheelchair", below=seats + 1, where=where)
    return Row(label, first, seats, tuple(sorted(aisles)), frozenset(wheelchair))


def _places(row, key: str, *, below: int, where: str) -> set[int]:
    places = row.get(key, [])
    if not isinstance(places, list) or not all(_is_count(place) and 1 <= place < below for place in places):
        raise LayoutError(f"{where}: “{key}” must be seats of that row.")
    return set(places)


def _list(holder, key: str, where: str) -> list:
    items = holder.get(key) if isinstance(holder, dict) else None
    if not isinstance(items, list) or not items:
        raise LayoutError(f"{where} needs “{key}”: a list with at least one entry.")
    return items


def _label(holder, key: str, where: str) -> str:
    label = holder.get(key) if isinstance(holder, dict) else None
    if not isinstance(label, str) or not label.strip():
        raise LayoutError(f"{where} needs a “{key}”.")
    return label.strip()


def _is_count(value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
