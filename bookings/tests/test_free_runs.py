"""The stored runs of free seats: exact, rebuilt when wrong, and as quick among 100,000 gaps as among ten."""

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bookings import free_runs
from bookings.house import House
from bookings.models import FreeRun
from events.models import Event
from tests.factories import EventFactory
from tests.truth import assert_sound, by_the_rule, runs_of

pytestmark = pytest.mark.django_db

SEATS = 60


def stored(event):
    runs = FreeRun.objects.filter(event=event).order_by("last_seat")
    return list(runs.values_list("first_seat", "last_seat"))


class TestHouse:
    """Choosing from stored runs, read piece by piece, gives what the rule gives over the whole house."""

    @pytest.fixture
    def event(self):
        return EventFactory(total_slots=SEATS)

    @settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(data=st.data())
    def test_seats_everybody_by_the_rule_whatever_was_read_before(self, event, data):
        blocks = [(1, 25), (26, 26), (27, SEATS)]
        free = data.draw(st.sets(st.integers(1, SEATS)))
        free |= set(data.draw(st.sampled_from([(), range(40, 44), range(50, 61)])))
        house = self.house(event, blocks, free)
        for _ in range(data.draw(st.integers(1, 5))):
            match data.draw(st.sampled_from(["parties", "one", "named", "back"])):
                case "parties":
                    parties = self.that_fit(free, data.draw(st.lists(st.integers(1, 8), max_size=8)))
                    house.expect(parties)
                    for party in parties:
                        expected = by_the_rule(free, blocks, party)
                        assert house.choose(party) == expected
                        free = free - set(expected)
                case "one":
                    for party in self.that_fit(free, [data.draw(st.integers(1, 8))]):
                        expected = by_the_rule(free, blocks, party)
                        assert house.choose(party) == expected
                        free = free - set(expected)
                case "named" if free:
                    wanted = data.draw(st.sets(st.sampled_from(sorted(free)), min_size=1, max_size=5))
                    assert house.choose_named(sorted(wanted)) == []
                    free = free - wanted
                case "back" if taken := sorted(set(range(1, SEATS + 1)) - free):
                    back = data.draw(st.sets(st.sampled_from(taken), max_size=8))
                    house.give_back(sorted(back))
                    free = free | back
        assert house.free == len(free)
        house.store()
        assert stored(event) == runs_of(free, blocks)

    @staticmethod
    def house(event, blocks, free):
        plan = {"sections": [{"name": "Hall", "rows": []}]}
        for first, last in blocks:
            plan["sections"][0]["rows"].append({"label": str(first), "seats": last - first + 1})
        FreeRun.objects.filter(event=event).delete()
        free_runs.store(event.pk, gone=[], changed=runs_of(free, blocks))
        at_hand = Event.objects.get(pk=event.pk)
        at_hand.layout, at_hand.available_slots = plan, len(free)
        return House(at_hand)

    @staticmethod
    def that_fit(free, parties):
        left, fitting = len(free), []
        for party in parties:
            if party <= left:
                fitting.append(party)
                left -= party
        return fitting


class TestRebuild:
    def test_makes_the_runs_from_the_seats_booked(self, event, book):
        book(event, seat_nos=[1, 4, 5, 10])
        FreeRun.objects.all().delete()
        free_runs.rebuild(event)
        assert stored(event) == [(2, 3), (6, 9)]

    def test_ends_them_where_a_block_ends(self, book):
        hall = EventFactory(with_layout=True)
        book(hall, seat_nos=[2])
        free_runs.rebuild(hall)
        assert stored(hall) == [(1, 1), (3, 3), (4, 6), (7, 10)]

    def test_leaves_none_in_a_full_house(self, event, book):
        book(event, 10)
        free_runs.rebuild(event)
        assert stored(event) == []

    def test_leaves_other_events_alone(self, event, book):
        other = EventFactory()
        book(other, 1)
        free_runs.rebuild(event)
        assert stored(other) == [(2, 10)]


class TestHealing:
    """Whatever the runs claim, nobody gets a seat that is booked, and nobody is refused one that is free."""

    @pytest.mark.parametrize(
        "claimed",
        [[], [(1, 10)], [(3, 5)], [(2, 2), (9, 9)], [(6, 7)]],
        ids=["nothing", "everything", "a piece too long", "other gaps", "too few"],
    )
    def test_finds_free_seats_by_number(self, event, book, claimed):
        book(event, seat_nos=[1, 2, 3, 9, 10])
        self.claim(event, claimed)
        booking = book(event, 5)
        assert {seat.seat_no for seat in booking.booked_seats.all()} == {4, 5, 6, 7, 8}
        assert_sound(event.pk)

    @pytest.mark.parametrize("claimed", [[], [(1, 10)], [(9, 9)]])
    def test_finds_free_seats_by_name(self, event, book, claimed):
        book(event, seat_nos=[1, 2, 3, 9, 10])
        self.claim(event, claimed)
        book(event, seat_nos=[5, 8])
        book(event, seat_nos=[4])
        book(event, 2)
        assert_sound(event.pk)

    @staticmethod
    def claim(event, runs):
        FreeRun.objects.filter(event=event).delete()
        free_runs.store(event.pk, gone=[], changed=runs)


class TestReadingAmongGaps:
    """The rows that a choice reads do not grow with the gaps of a house."""

    @staticmethod
    def house_with_gaps(gaps, *, analyze=True):
        """Every second seat is free, and thirty side by side at the end."""
        event = EventFactory(total_slots=2 * gaps + 30)
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO event_free_runs (event_id, first_seat, last_seat) "
                "SELECT %s, 2 * n - 1, 2 * n - 1 FROM generate_series(1, %s) AS n "
                "UNION ALL SELECT %s, %s, %s",
                [event.pk, gaps, event.pk, 2 * gaps + 1, 2 * gaps + 30],
            )
            if analyze:
                cursor.execute("ANALYZE event_free_runs")
        return event

    @pytest.mark.parametrize("party", [1, 2, 30])
    def test_are_few_and_found_by_length(self, rows_read, party):
        """Alone in the table, and so whatever its statistics say of lengths and last seats."""
        many = self.house_with_gaps(100_000)
        rows, indexes = rows_read(FreeRun, lambda: free_runs.for_parties(many.pk, [party]))
        assert indexes == {"idx_event_free_runs_length"}
        assert rows <= free_runs.LONGEST

    def test_are_few_when_the_table_was_small_when_it_was_last_looked_at(self, rows_read):
        few, many = self.house_with_gaps(2), self.house_with_gaps(100_000, analyze=False)
        for event in (few, many):
            rows, indexes = rows_read(FreeRun, lambda event=event: free_runs.for_parties(event.pk, [1]))
            assert indexes == {"idx_event_free_runs_length"}
            assert rows <= free_runs.LONGEST

    def test_are_as_many_as_seats_for_a_scattered_party(self, rows_read):
        event = self.house_with_gaps(100_000)
        rows, indexes = rows_read(FreeRun, lambda: free_runs.lowest(event.pk, 50))
        assert indexes == {"event_free_runs_pkey"}
        assert rows <= 50

    def test_are_two_around_each_seat(self, rows_read):
        event = self.house_with_gaps(100_000)
        rows, _ = rows_read(FreeRun, lambda: free_runs.around(event.pk, range(100_000, 100_050)))
        assert rows <= 150

    def test_find_the_only_run_that_holds_the_party(self):
        event = self.house_with_gaps(1_000)
        assert free_runs.for_parties(event.pk, [20]) == [(2_001, 2_030)]
