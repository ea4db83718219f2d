"""Redis forgets what it knew, or was away; people who have their booking send the same form again."""

import time

import pytest

from orgs.breaker import REST
from tests.faults.checker import complaints
from tests.faults.crowd import Visitor

PEOPLE = 12


def book_all(visitors, event, servers) -> list[tuple[Visitor, object, str]]:
    """Each visitor with the form that booked a seat and the booking it made."""
    made = []
    for visitor in visitors:
        form = visitor.open(event.pk, servers, seats=1)
        line = visitor.send(event.pk, form, servers)
        assert line.status == 303
        made.append((visitor, form, line.booking))
    return made


class TestWhoSendsTheSameFormAgain:
    @pytest.fixture
    def event(self, make_event):
        return make_event(total_slots=PEOPLE, waitlist=False)

    def come_too_late(self, latecomer, event, servers) -> None:
        """So that the counter begins anew, at 0."""
        for server in servers:
            form = latecomer.open(event.pk, [server], seats=1)
            assert latecomer.send(event.pk, form, [server]).status == 409

    def test_gets_the_same_booking_after_redis_was_wiped(self, event, valkey, visitors, two_webs, log):
        servers = [web.address for web in two_webs]
        latecomer, *people = visitors(PEOPLE + 1)
        made = book_all(people, event, servers)
        valkey.wipe()
        self.come_too_late(latecomer, event, servers)
        assert valkey.get(f"event:{event.pk}:slots") == "0"
        again = [visitor.send(event.pk, form, servers[::-1]).booking for visitor, form, _ in made]
        assert again == [booking for *_, booking in made]
        assert complaints(event.pk, log.lines) == []

    def test_gets_the_same_booking_where_redis_was_away_meanwhile(
        self, event, valkey, visitors, two_webs, log
    ):
        servers = [web.address for web in two_webs]
        latecomer, *people = visitors(PEOPLE + 1)
        made = book_all(people[: PEOPLE // 2], event, servers)
        with valkey.gone():
            made += book_all(people[PEOPLE // 2 :], event, servers)
        time.sleep(REST + 0.5)  # until it is asked again
        self.come_too_late(latecomer, event, servers)
        again = [visitor.send(event.pk, form, servers[::-1]).booking for visitor, form, _ in made]
        assert again == [booking for *_, booking in made]
        assert complaints(event.pk, log.lines) == []
