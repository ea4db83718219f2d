"""The rule of the queue beside the plainest model of it: again and again, who is next?"""

from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bookings import waitlist
from bookings.models import Booking
from bookings.waitlist import Party, place_in_line, promotable
from events.models import Event
from tests.factories import EventFactory, UserFactory
from tests.truth import next_in_line

lines = st.lists(st.integers(1, 9), max_size=14)


def one_by_one(sizes, *, free, strict, house=1_000):
    """The numbers of those who are promoted, in order, by asking after each who is next."""
    line = list(enumerate(sizes, start=1))
    promoted = []
    while number := next_in_line(line, free=free, house=house, strict=strict):
        promoted.append(number)
        free -= dict(line)[number]
        line = [(other, seats) for other, seats in line if other != number]
    return promoted


def parties(sizes):
    return [Party(uuid4(), uuid4(), seats, number, 1) for number, seats in enumerate(sizes, start=1)]


class TestPromotable:
    @given(lines, st.integers(0, 40), st.booleans())
    @example([5, 2, 4, 1], 7, False)
    def test_is_whoever_is_next_again_and_again(self, sizes, free, strict):
        chosen = promotable(parties(sizes), free=free, strict=strict)
        assert [party.number for party in chosen] == one_by_one(sizes, free=free, strict=strict)

    def test_under_the_strict_rule_ends_at_the_first_that_does_not_fit(self):
        assert [party.seats for party in promotable(parties([2, 3, 1]), free=4, strict=True)] == [2]

    def test_under_the_fill_rule_goes_on_behind_it(self):
        assert [party.seats for party in promotable(parties([2, 3, 1]), free=4, strict=False)] == [2, 1]


@pytest.mark.django_db
class TestLine:
    """Read from the database, as little as decides."""

    @pytest.fixture
    def event(self):
        return EventFactory(total_slots=40)

    @staticmethod
    def stand_in_line(event, sizes):
        """Put parties of these sizes in line, and nobody else."""
        Booking.objects.filter(event=event).delete()
        person = UserFactory()
        Event.objects.filter(pk=event.pk).update(max_seats_per_person=10_000)
        Booking.objects.bulk_create(
            Booking(event=event, user_id=person.pk, seats=seats, status="waiting", waiting_number=number)
            for number, seats in enumerate(sizes, start=1)
        )

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(sizes=lines, free=st.integers(0, 40), house=st.integers(1, 40), strict=st.booleans())
    @example(sizes=[3, 2, 2, 2], free=4, house=2, strict=True)
    def test_decides_as_the_whole_line_would(self, event, sizes, free, house, strict):
        self.stand_in_line(event, sizes)
        event.total_slots, event.queue_rule = house, "strict" if strict else "fill"
        free = min(free, house)
        line, more = waitlist.line(event, free=free)
        chosen = [party.number for party in promotable(line, free=free, strict=strict)]
        assert chosen == one_by_one(sizes, free=free, strict=strict, house=house)
        assert [party.number for party in line] == sorted(party.number for party in line)
        assert not more

    def test_shows_under_the_strict_rule_who_holds_the_others_up(self, event):
        self.stand_in_line(event, [1, 5, 1])
        line, _ = waitlist.line(event, free=3)
        assert 5 in [party.seats for party in line]

    def test_leaves_out_under_the_fill_rule_who_cannot_fit_anyhow(self, event):
        event.queue_rule = "fill"
        self.stand_in_line(event, [9, 2, 9, 1])
        line, _ = waitlist.line(event, free=3)
        assert [party.seats for party in line] == [2, 1]

    def test_leaves_out_who_is_larger_than_the_house(self, event):
        self.stand_in_line(event, [9, 2])
        event.total_slots = 8
        line, _ = waitlist.line(event, free=3)
        assert [party.seats for party in line] == [2]

    def test_says_when_there_may_be_more_than_one_transaction_promotes(self, event, monkeypatch):
        monkeypatch.setattr(waitlist, "MOST_PROMOTIONS", 2)
        self.stand_in_line(event, [1, 1, 1])
        line, more = waitlist.line(event, free=5)
        assert ([party.number for party in line], more) == ([1, 2], True)
        self.stand_in_line(event, [1, 1])
        assert waitlist.line(event, free=5)[1] is False

    def test_is_empty_for_no_seats(self, event):
        event.queue_rule = "fill"
        self.stand_in_line(event, [1])
        assert waitlist.line(event, free=0) == ([], False)

    @pytest.mark.parametrize("rule", ["strict", "fill"])
    def test_reads_few_rows_however_many_wait(self, event, rows_read, rule):
        """All of one size, so that whoever looks for another size by number meets nobody."""
        event.queue_rule = rule
        self.stand_in_line(event, [2] * 2_000)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE bookings")
        rows, indexes = rows_read(Booking, lambda: waitlist.line(event, free=4))
        assert indexes == {"idx_bookings_waiting_parties"}
        assert rows <= waitlist.LARGEST_PARTY

    def test_tells_each_their_place(self, event, book):
        book(event, 40)
        waiting = [book(event, 1, or_wait=True) for _ in range(3)]
        Booking.objects.filter(pk=waiting[0].pk).update(
            status="cancelled", waiting_number=None, updated_at=timezone.now()
        )
        assert [place_in_line(booking) for booking in waiting[1:]] == [1, 2]
