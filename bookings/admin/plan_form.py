"""A seating plan as a form: sections, and in each a few lines of rows that are alike.

A line says which rows ("A–M", "1–20", "A, B, D"), how many seats each has, after which seats an aisle runs
and which seats are wheelchair places. A line without rows is no line: to take rows out, empty it. There is
always an empty line and an empty section to fill in, so the form needs no script.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby, islice
from string import ascii_uppercase

from django.utils.translation import gettext as _

from events.seating import Layout, LayoutError, Row

MOST_ROWS = 2_000
MOST_SEATS_IN_A_ROW = 500
MOST_SECTIONS = MOST_LINES = 60
LONGEST_RANGE = 40  # characters; what is longer is one row with a long name, and is cut
RANGE = re.compile(r"^(\w+)\s*(?:[–—-]|\.\.|to)\s*(\w+)$")


class PlanRefused(ValueError):
    """What is written is no plan; the message says where and why."""


@dataclass
class Line:
    rows: str = ""
    seats: str = ""
    aisles: str = ""
    wheelchair: str = ""

    def read(self, section: str) -> Iterator[dict]:
        where = _("%(section)s, rows %(rows)s") % {"section": section, "rows": self.rows.strip()}
        seats = _number(self.seats)
        if not 1 <= seats <= MOST_SEATS_IN_A_ROW:
            raise PlanRefused(
                _("%(where)s: write how many seats each row has, from 1 to %(most)s.")
                % {"where": where, "most": MOST_SEATS_IN_A_ROW}
            )
        aisles = _places(self.aisles, most=seats - 1, where=where)
        wheelchair = _places(self.wheelchair, most=seats, where=where)
        for label in labels(self.rows):
            yield {"label": label, "seats": seats, "aisles": aisles, "wheelchair": wheelchair}


@dataclass
class SectionLines:
    name: str = ""
    lines: list[Line] = field(default_factory=list)

    @property
    def written(self) -> list[Line]:
        return [line for line in self.lines if line.rows.strip()]

    def read(self) -> dict:
        name = self.name.strip()
        if not name:
            raise PlanRefused(_("Give each section a name, such as Stalls or Balcony."))
        rows = list(islice((row for line in self.written for row in line.read(name)), MOST_ROWS + 1))
        _ensure_not_too_many(rows)
        twice = [label for label, count in Counter(row["label"] for row in rows).items() if count > 1]
        if twice:
            raise PlanRefused(_("%(section)s has row %(row)s twice.") % {"section": name, "row": min(twice)})
        return {"name": name, "rows": rows}


@dataclass
class PlanForm:
    sections: list[SectionLines]

    @classmethod
    def showing(cls, layout: Layout | None) -> "PlanForm":
        """The form filled in with a plan as it is."""
        if layout is None:
            return cls([])
        return cls([SectionLines(section.name, _lines(section.rows)) for section in layout.sections])

    @classmethod
    def sent(cls, data: Mapping[str, str]) -> "PlanForm":
        """The form as it came back."""
        sections = []
        for s in range(MOST_SECTIONS):
            if f"s{s}-name" not in data:
                break
            lines = []
            for n in range(MOST_LINES):
                if f"s{s}-{n}-rows" not in data:
                    break
                lines.append(
                    Line(
                        *(
                            data.get(f"s{s}-{n}-{name}", "")
                            for name in ("rows", "seats", "aisles", "wheelchair")
                        )
                    )
                )
            sections.append(SectionLines(data[f"s{s}-name"], lines))
        return cls(sections)

    @property
    def written(self) -> list[SectionLines]:
        return [section for section in self.sections if section.written]

    def plan(self) -> dict | None:
        """The plan as it is stored; None where nothing is written.

        Raises:
            PlanRefused: it is none.
        """
        if not self.written:
            return None
        plan = {"sections": [section.read() for section in self.written]}
        _ensure_not_too_many([row for section in plan["sections"] for row in section["rows"]])
        try:
            Layout.parse(plan)
        except LayoutError as error:
            raise PlanRefused(str(error)) from error
        return plan

    def with_room(self) -> "PlanForm":
        """What is written, with an empty line in each section and an empty section at the end."""
        sections = [SectionLines(section.name, [*section.written, Line()]) for section in self.written]
        return PlanForm([*sections, SectionLines("" if sections else _("Stalls"), [Line()])])


def labels(written: str) -> Iterator[str]:
    """A–C, F, 10–12: A, B, C, F, 10, 11, 12."""
    for part in filter(None, (part.strip() for part in written.split(","))):
        if len(part) <= LONGEST_RANGE and (found := RANGE.match(part)):
            yield from _between(*found.groups(), part)
        else:
            yield part[:20]


def _ensure_not_too_many(rows: list[dict]) -> None:
    if len(rows) > MOST_ROWS:
        raise PlanRefused(_("A plan can have at most %(n)s rows.") % {"n": f"{MOST_ROWS:,}"})


def _between(first: str, last: str, part: str) -> Iterator[str]:
    if first.isdecimal() and last.isdecimal() and len(last) <= 6:
        numbers, name = (int(first), int(last)), str
    elif all(label.isascii() and label.isalpha() and len(label) <= 2 for label in (first, last)):
        numbers, name = (_place_of(first.upper()), _place_of(last.upper())), _name_of
    else:
        numbers, name = (1, 0), str
    if not 0 <= numbers[1] - numbers[0] < MOST_ROWS:
        raise PlanRefused(
            _("“%(rows)s” is no range of rows. Write A–M, 1–20, or the rows one by one with commas.")
            % {"rows": part[:40]}
        )
    yield from (name(number) for number in range(numbers[0], numbers[1] + 1))


def _place_of(label: str) -> int:
    """A: 0, Z: 25, AA: 26."""
    place = 0
    for letter in label:
        place = place * 26 + ascii_uppercase.index(letter) + 1
    return place - 1


def _name_of(place: int) -> str:
    name = ""
    place += 1
    while place:
        place, letter = divmod(place - 1, 26)
        name = ascii_uppercase[letter] + name
    return name


def _lines(rows: tuple[Row, ...]) -> list[Line]:
    return [
        Line(_range(list(alike)), str(seats), ", ".join(map(str, aisles)), ", ".join(map(str, wheelchair)))
        for (seats, aisles, wheelchair), alike in groupby(
            rows, key=lambda row: (row.seats, row.aisles, sorted(row.wheelchair))
        )
    ]


def _range(rows: list[Row]) -> str:
    """The rows' labels, written as a range where that says the same."""
    names = [row.label for row in rows]
    short = f"{names[0]}–{names[-1]}"
    try:
        if len(names) > 2 and list(labels(short)) == names:
            return short
    except PlanRefused:
        pass
    return ", ".join(names)


def _places(written: str, *, most: int, where: str) -> list[int]:
    places = sorted({_number(part) for part in written.split(",") if part.strip()})
    if places and not (places[0] >= 1 and places[-1] <= most):
        raise PlanRefused(
            _("%(where)s: aisles and wheelchair places are seats of the row, such as 4, 12.")
            % {"where": where}
        )
    return places


def _number(written: str) -> int:
    written = written.strip()
    return int(written) if written.isascii() and written.isdigit() and len(written) <= 6 else -1
