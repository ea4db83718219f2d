"""The seats of an event while it is locked: which are free, and who sits where from now on.

Joins the rule of allocation (pure, in memory) with the stored runs: reads just enough of them before each
choice, and stores what has changed at the end. Finds out by itself when the runs are not what the seats
say, or were never made, and makes them anew.
"""

from functools import cached_property

from bookings import free_runs
from bookings.allocation import FreeSeats
from bookings.ledger import ChangedUnderneath
from bookings.models import BookingSeat
from events.models import Event


class House:
    def __init__(self, event: Event):
        self.event = event
        self.free = event.available_slots
        self._taken: set[int] = set()
        self._given_back: set[int] = set()
        self._expected: list[int] = []  # parties for whom enough runs are known
        self._lowest_known = False

    def expect(self, parties: list[int]) -> None:
        """Read at once what seating all these parties, one after the other, can need."""
        self._expected, self._lowest_known = list(parties), False
        self._know_fitting()

    def choose(self, party: int) -> list[int]:
        """Seats for a party that fits in `free`, by the allocator's rule."""
        if party not in self._expected:
            self.expect([party])
        seat_nos = self._seats.take(party)
        is_together = seat_nos is not None
        if seat_nos is None:
            self._know_lowest()
            seat_nos = self._seats.take_lowest(party)
        if seat_nos is None:
            self._remake()
            seat_nos = self._seats.take(party) or self._seats.take_lowest(party)
        if seat_nos is None:
            raise ChangedUnderneath("available_slots promises seats that are not there.")
        if self._expected:
            self._expected.remove(party)
            if not is_together and min(self._expected, default=party) < party:
                self._know_fitting()  # a scattered party may have used up every run that was known
        return self._occupy(seat_nos)

    def choose_named(self, seat_nos: list[int]) -> list[int]:
        """Take exactly these seats; returns those that are taken already, and then takes none."""
        self._seats.know(free_runs.around(self.event.pk, seat_nos))
        missing = self._seats.take_named(seat_nos)
        if missing and not self._booked_among(missing):
            self._remake()
            missing = self._seats.take_named(seat_nos)
        if not missing:
            self._occupy(seat_nos)
            self._lowest_known = False
            self._know_fitting()  # they may have cut a run that was known for somebody still expected
        return missing

    def give_back(self, seat_nos: list[int]) -> None:
        """Make seats free for others, in this transaction already."""
        if seat_nos:
            self._seats.know(free_runs.around(self.event.pk, seat_nos))
            self._seats.give_back(seat_nos)
            self._given_back.update(seat_nos)
            self._taken.difference_update(seat_nos)
            self.free += len(seat_nos)

    def store(self) -> None:
        """Write the runs as they are now; to be called when the seats have been written."""
        if "_seats" in vars(self):
            gone, changed = self._seats.changes()
            free_runs.store(self.event.pk, gone=gone, changed=changed)
            self._forget()

    def _occupy(self, seat_nos: list[int]) -> list[int]:
        self._taken.update(seat_nos)
        self._given_back.difference_update(seat_nos)
        self.free -= len(seat_nos)
        return seat_nos

    @cached_property
    def _seats(self) -> FreeSeats:
        return FreeSeats(ends=[last for _, last in self.event.seating.blocks] if self.event.seating else ())

    def _know_fitting(self) -> None:
        """Runs that hold the lowest fit for everybody who is still expected, none of them scattered."""
        if self._expected:
            touched = self._seats.touched
            self._seats.know(free_runs.for_parties(self.event.pk, self._expected, touched=touched))

    def _know_lowest(self) -> None:
        """The lowest runs, enough for everybody who is still expected."""
        if not self._lowest_known:
            touched = self._seats.touched
            self._seats.know(free_runs.lowest(self.event.pk, sum(self._expected), touched=touched))
            self._lowest_known = True

    def _booked_among(self, seat_nos: list[int]) -> bool:
        """Whether one of these seats is really booked, by its row or by this transaction."""
        rows = BookingSeat.objects.booked().filter(event_id=self.event.pk, seat_no__in=seat_nos)
        held = set(rows.values_list("seat_no", flat=True)) - self._given_back
        return bool(held | self._taken.intersection(seat_nos))

    def _remake(self) -> None:
        """Runs anew from the seats as stored, and on top what this transaction has not stored yet."""
        taken, given_back = self._taken, self._given_back
        self._forget()
        free_runs.rebuild(self.event)
        self._seats.know(free_runs.true_runs(self.event))
        self._seats.give_back(given_back)
        self._seats.take_named(taken)
        self._taken, self._given_back = taken, given_back
        self._lowest_known = True

    def _forget(self) -> None:
        del self._seats
        self._taken, self._given_back = set(), set()
        self._expected, self._lowest_known = [], False
