"""Which seats a party gets: pure functions over runs of free seats, no database in sight.

The rule, in the order tried: the lowest run that holds the whole party side by side, taken from its low
end; else the lowest free numbers. A run never crosses a row's end or an aisle, so it is enough to look at
runs. Runs are known piece by piece: whoever asks has to make known first what could answer (`free_runs`).
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator

Run = tuple[int, int]  # first and last seat number, both free, and all between


class FreeSeats:
    """Some of an event's free runs, as stored and as a transaction is about to leave them.

    Args:
        ends: seat numbers at which a block of the layout ends, so that no run goes on behind them.
    """

    def __init__(self, ends: Iterable[int] = ()):
        self._ends = frozenset(ends)
        self._stored: dict[int, int] = {}  # last seat -> first seat, as the database has it
        self._runs: dict[int, int] = {}  # the same, as it is to be
        self._lasts: list[int] = []  # the keys of `_runs`, ascending

    def know(self, runs: Iterable[Run]) -> None:
        """Make stored runs known; what is known already may have been taken from since and stays."""
        for first, last in runs:
            if last not in self._stored:
                self._stored[last] = first
                self._add(first, last)

    def take(self, party: int) -> list[int] | None:
        """The seats for a party, taken; None where what is known has no run that holds it."""
        for first, last in self:
            if last - first + 1 >= party:
                return self._cut(first, last, first, first + party - 1)
        return None

    def take_lowest(self, seats: int) -> list[int] | None:
        """The lowest free numbers, wherever they are; None, and nothing taken, where too few are known."""
        pieces, missing = [], seats
        for first, last in self:
            until = min(last, first + missing - 1)
            pieces.append((first, last, first, until))
            missing -= until - first + 1
            if not missing:
                return [seat for piece in pieces for seat in self._cut(*piece)]
        return None

    def take_named(self, seat_nos: Iterable[int]) -> list[int]:
        """Take exactly these; returns those that are not free. Nothing is taken unless all are."""
        wanted = sorted(seat_nos)
        missing = [seat for seat in wanted if self._holding(seat) is None]
        if not missing:
            for seat in wanted:
                first, last = self._holding(seat)
                self._cut(first, last, seat, seat)
        return missing

    def give_back(self, seat_nos: Iterable[int]) -> None:
        """Make seats free; each joins the runs beside it, unless a block ends there.

        The runs that end just below or begin just above the seats must be known.
        """
        for seat in sorted(seat_nos):
            if self._holding(seat):
                continue
            first, last = seat, seat
            below = self._runs.get(seat - 1)
            if below is not None and seat - 1 not in self._ends:
                first = below
                self._drop(seat - 1)
            above = self._holding(seat + 1) if seat not in self._ends else None
            if above is not None:
                last = above[1]
                self._drop(last)
            self._add(first, last)

    def changes(self) -> tuple[list[int], list[Run]]:
        """What to store: the last seats of runs that are gone, and runs that are new or begin elsewhere."""
        gone = [last for last in self._stored if last not in self._runs]
        changed = [(first, last) for last, first in self._runs.items() if self._stored.get(last) != first]
        return gone, changed

    def __iter__(self) -> Iterator[Run]:
        """Known runs, lowest first."""
        return ((self._runs[last], last) for last in self._lasts)

    @property
    def touched(self) -> int:
        """How many stored runs are no longer as they are stored."""
        return sum(self._runs.get(last) != first for last, first in self._stored.items())

    def _holding(self, seat: int) -> Run | None:
        at = bisect_left(self._lasts, seat)
        if at < len(self._lasts):
            last = self._lasts[at]
            if self._runs[last] <= seat:
                return self._runs[last], last
        return None

    def _cut(self, first: int, last: int, cut_first: int, cut_last: int) -> list[int]:
        self._drop(last)
        if first < cut_first:
            self._add(first, cut_first - 1)
        if cut_last < last:
            self._add(cut_last + 1, last)
        return list(range(cut_first, cut_last + 1))

    def _add(self, first: int, last: int) -> None:
        self._runs[last] = first
        insort(self._lasts, last)

    def _drop(self, last: int) -> None:
        del self._runs[last]
        del self._lasts[bisect_left(self._lasts, last)]


def runs_between(booked: Iterable[int], blocks: Iterable[Run]) -> Iterator[Run]:
    """The free runs of a house: what `booked` (ascending seat numbers) leaves of `blocks` (ascending)."""
    taken = iter(booked)
    seat = next(taken, None)
    for first, last in blocks:
        start = first
        while seat is not None and seat < first:
            seat = next(taken, None)
        while seat is not None and seat <= last:
            if seat > start:
                yield start, seat - 1
            start = seat + 1
            seat = next(taken, None)
        if start <= last:
            yield start, last


def blocks_of(layout, total_slots: int) -> list[Run]:
    """The pieces of a house in which people can sit side by side; without a layout it is all one."""
    if layout is None:
        return [(1, total_slots)]
    return [(first, min(last, total_slots)) for first, last in layout.blocks if first <= total_slots]
