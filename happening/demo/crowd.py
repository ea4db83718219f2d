"""Everybody else: who books, how many seats, when, and who thinks better of it. The same on every machine."""

import random
from collections import Counter
from itertools import cycle

from bookings.models import Booking
from happening.demo.stage import Stage
from orgs.models import User

PARTIES = {
    "singles": [1, 1, 1, 1, 2],
    "couples": [1, 1, 2, 2, 2, 3, 4],
    "families": [1, 2, 2, 3, 4, 4, 5],
    "groups": [2, 2, 3, 4, 4, 5, 6, 8, 10, 12, 20, 30],
}
SECTIONS = [5, 3, 2]  # how much people like the sections of a hall, from the stage outwards
LATE = 0.8  # of the time since publication; who thinks better of it does so then
OFTEN = 12  # one in so many parties comes with one person fewer


def come(stage: Stage) -> list[Booking]:
    """Book for the event's crowd; returns the bookings of those who got seats at once, in order."""
    crowd, dice = stage.planned.crowd, random.Random(stage.planned.key)  # noqa: S311
    sizes = PARTIES[crowd.get("parties", "couples")]
    largest = stage.event.max_seats_per_booking
    parties = _parties(round(crowd["sold"] * stage.event.total_slots), sizes, largest, dice)
    lining_up = [min(dice.choice(sizes), largest) for _ in range(crowd.get("waiting", 0))]
    moments = sorted(dice.random() ** 1.4 * LATE for _ in [*parties, *lining_up])
    takers = _Takers(stage, dice)
    bookings = []
    for number, (seats, moment) in enumerate(zip([*parties, *lining_up], moments, strict=True)):
        seat_nos = _seats_somewhere(stage, seats, dice) if number < len(parties) else []
        who, at = takers.of(seats), stage.moment(moment)
        bookings.append(stage.book(who, at, seats=seats, seat_nos=seat_nos, name=f"crowd {number}"))
    seated = bookings[: len(parties)]
    gone = dice.sample(seated, crowd.get("gone", 0))
    for number, booking in enumerate(gone):
        stage.cancel(booking, stage.moment(LATE + 0.002 * number))
    if crowd["sold"] < 1:
        all_of_them = zip(seated, parties, strict=True)
        smaller = [(booking, party) for booking, party in all_of_them if party > 1 and booking not in gone]
        for number, (booking, party) in enumerate(smaller[::OFTEN]):
            stage.modify(booking, stage.moment(LATE + 0.002 * number), seats=party - 1)
    return seated


class _Takers:
    """Guests in turn, each as long as they may hold more seats."""

    def __init__(self, stage: Stage, dice: random.Random):
        self.turn = cycle(dice.sample(stage.guests, len(stage.guests)))
        self.limit, self.held = stage.event.max_seats_per_person, Counter()

    def of(self, seats: int) -> User:
        guest = next(guest for guest in self.turn if self.held[guest.pk] + seats <= self.limit)
        self.held[guest.pk] += seats
        return guest


def _parties(seats: int, sizes: list[int], largest: int, dice: random.Random) -> list[int]:
    """Parties that take exactly so many seats together."""
    parties = []
    while seats:
        parties.append(min(dice.choice(sizes), largest, seats))
        seats -= parties[-1]
    return parties


def _seats_somewhere(stage: Stage, party: int, dice: random.Random) -> list[int]:
    """Seats side by side that somebody points at on the plan; every third lets the house choose."""
    seating = stage.event.seating
    if seating is None or dice.random() < 0.33:
        return []
    section = dice.choices(seating.sections, SECTIONS[: len(seating.sections)])[0]
    row = section.rows[int(dice.triangular(0, len(section.rows), len(section.rows) / 4))]
    if party > row.seats:
        return []
    middle = dice.triangular(0, row.seats - party)
    first = row.first + round(middle)
    return list(range(first, first + party))
