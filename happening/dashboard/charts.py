"""Charts as shapes with their places worked out, so that a template draws them with attributes alone: no
script, and no style that a strict policy would have to allow."""

from dataclasses import dataclass
from datetime import date

from happening.dashboard.figures import Day

WIDTH, HEIGHT, GAP = 720, 160, 4


@dataclass(frozen=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    date: date
    count: int


@dataclass(frozen=True)
class Columns:
    """One column a day; `top` is the count that the full height stands for."""

    bars: list[Bar]
    top: int
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def is_empty(self) -> bool:
        return not any(bar.count for bar in self.bars)


@dataclass(frozen=True)
class Share:
    """Part of a whole, from 0 to `whole`, as the width of a bar out of 100."""

    part: int
    whole: int

    @property
    def percent(self) -> int:
        return round(100 * self.part / self.whole) if self.whole else 0


def columns(days: list[Day]) -> Columns:
    top = _round_up(max((day.booked for day in days), default=0))
    step = WIDTH / max(len(days), 1)
    bars = []
    for number, day in enumerate(days):
        height = HEIGHT * day.booked / top
        if day.booked:
            height = max(height, 2)
        bars.append(
            Bar(
                x=round(number * step + GAP / 2, 1),
                y=round(HEIGHT - height, 1),
                width=round(step - GAP, 1),
                height=round(height, 1),
                date=day.date,
                count=day.booked,
            )
        )
    return Columns(bars, top)


def _round_up(count: int) -> int:
    """The next of 5, 10, 20, 50, 100, …: a number that people read at once."""
    scale = 5
    while scale < count:
        scale = scale * 5 // 2 if str(scale).startswith("2") else scale * 2
    return scale
