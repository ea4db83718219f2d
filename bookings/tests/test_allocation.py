"""The rule of allocation beside the plainest model of it: a set of free seats and the blocks they lie in."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings.allocation import FreeSeats, blocks_of, runs_between
from events.seating import Layout
from tests.truth import by_the_rule, runs_of


@st.composite
def houses(draw):
    """A house: its blocks, and which of its seats are free."""
    lengths = draw(st.lists(st.integers(1, 6), min_size=1, max_size=6))
    blocks, first = [], 1
    for length in lengths:
        blocks.append((first, first + length - 1))
        first += length
    free = draw(st.sets(st.integers(1, first - 1)))
    return blocks, free


def seats_from(blocks, free):
    """What is known of the house, all of it."""
    seats = FreeSeats(ends=[last for _, last in blocks])
    seats.know(runs_of(free, blocks))
    return seats


class TestFreeSeats:
    @given(houses(), st.lists(st.integers(1, 8), max_size=8))
    def test_take_the_lowest_run_that_holds_the_party_else_the_lowest_seats(self, house, parties):
        blocks, free = house
        seats = seats_from(blocks, free)
        for party in parties:
            expected = by_the_rule(free, blocks, party)
            assert (seats.take(party) or seats.take_lowest(party)) == expected
            free -= set(expected or ())
        assert list(seats) == runs_of(free, blocks)

    @given(houses(), st.integers(1, 8))
    def test_never_put_a_party_taken_together_across_the_end_of_a_block(self, house, party):
        blocks, free = house
        taken = seats_from(blocks, free).take(party)
        if taken:
            assert all(following == seat + 1 for seat, following in pairwise(taken))
            assert any(first <= taken[0] and taken[-1] <= last for first, last in blocks)

    @given(houses(), st.data())
    def test_take_named_seats_all_or_none(self, house, data):
        blocks, free = house
        seats = seats_from(blocks, free)
        wanted = data.draw(st.sets(st.integers(1, blocks[-1][1]), min_size=1))
        missing = seats.take_named(wanted)
        assert missing == sorted(wanted - free)
        assert list(seats) == runs_of(free - wanted if wanted <= free else free, blocks)

    @given(houses(), st.data())
    def test_join_what_comes_back_to_the_runs_beside_it(self, house, data):
        blocks, free = house
        seats = seats_from(blocks, free)
        back = data.draw(st.sets(st.integers(1, blocks[-1][1])))
        seats.give_back(back)
        assert list(seats) == runs_of(free | back, blocks)

    @given(houses(), st.data())
    def test_say_what_to_store_so_that_the_stored_runs_become_the_new_ones(self, house, data):
        blocks, free = house
        stored = {last: first for first, last in runs_of(free, blocks)}
        seats = seats_from(blocks, free)
        for _ in range(data.draw(st.integers(1, 6))):
            if data.draw(st.booleans()):
                taken = by_the_rule(free, blocks, party := data.draw(st.integers(1, 6)))
                assert (seats.take(party) or seats.take_lowest(party)) == taken
                free = free - set(taken or ())
            else:
                back = data.draw(st.sets(st.integers(1, blocks[-1][1]), max_size=4))
                seats.give_back(back)
                free = free | back
        gone, changed = seats.changes()
        assert len(gone) == len(set(gone))
        assert len({last for _, last in changed}) == len(changed)
        assert seats.touched <= len(stored)
        for last in gone:
            del stored[last]
        stored.update({last: first for first, last in changed})
        assert sorted((first, last) for last, first in stored.items()) == runs_of(free, blocks)

    def test_have_nothing_to_store_when_what_was_taken_came_back(self):
        seats = seats_from([(1, 10)], {2, 3, 4})
        seats.give_back(seats.take(2))
        assert (seats.changes(), seats.touched) == (([], []), 0)

    def test_leave_what_is_known_already_as_it_has_become(self):
        seats = seats_from([(1, 10)], {1, 2, 3})
        seats.take(2)
        seats.know([(1, 3)])
        assert list(seats) == [(3, 3)]

    def test_take_nothing_where_too_few_are_free(self):
        seats = seats_from([(1, 10)], {1, 3})
        assert seats.take_lowest(3) is None
        assert list(seats) == [(1, 1), (3, 3)]


class TestRunsBetween:
    @given(houses())
    def test_are_what_the_booked_seats_leave_of_the_blocks(self, house):
        blocks, free = house
        booked = [seat for seat in range(1, blocks[-1][1] + 1) if seat not in free]
        assert list(runs_between(booked, blocks)) == runs_of(free, blocks)

    def test_pass_over_seats_that_lie_in_no_block(self):
        assert list(runs_between([1, 4, 9], [(2, 3), (5, 6)])) == [(2, 3), (5, 6)]


class TestBlocks:
    def test_of_a_house_without_a_plan_are_one(self):
        assert blocks_of(None, 40) == [(1, 40)]

    @pytest.mark.parametrize(
        ("total_slots", "blocks"),
        [
            (7, [(1, 2), (3, 4), (5, 7)]),
            (6, [(1, 2), (3, 4), (5, 6)]),
            (4, [(1, 2), (3, 4)]),
            (3, [(1, 2), (3, 3)]),
        ],
    )
    def test_of_a_plan_end_with_the_capacity(self, total_slots, blocks):
        rows = [{"label": "A", "seats": 4, "aisles": [2]}, {"label": "B", "seats": 3}]
        plan = Layout.parse({"sections": [{"name": "Stalls", "rows": rows}]})
        assert blocks_of(plan, total_slots) == blocks
