"""Redis goes away, hangs, forgets and lies while a crowd books: it may refuse for a minute, never grant."""

import time
from functools import partial

import pytest

from tests.faults.checker import complaints, counter_complaints, wait_until_mended, wrongly_turned_away
from tests.faults.crowd import Crowd, come_again
from tests.faults.test_killed_web import is_sold_out

PARTIES = [1, 2, 1] * 20
ALL = sum(PARTIES)


def counter(event) -> str:
    return f"event:{event.pk}:slots"


@pytest.mark.usefixtures("background")
class TestRedis:
    @pytest.fixture
    def crowd_at(self, visitors, two_webs):
        def come(event, **more):
            servers = [web.address for web in two_webs]
            return Crowd(visitors(len(PARTIES)), event.pk, servers, parties=PARTIES, **more)

        return come

    @pytest.fixture(autouse=True)
    def ends_well(self, valkey, log):
        """Whatever was done to it: no complaint, and the counter is right again within a minute."""
        self.event = None
        yield
        if self.event:
            assert complaints(self.event.pk, log.lines) == []
            check = partial(counter_complaints, self.event.pk, valkey, may_be_missing=True)
            assert wait_until_mended(check) == []

    def test_stopped_in_the_rush_stops_nobody(self, valkey, make_event, crowd_at, log):
        self.event = make_event(total_slots=ALL + 20, waitlist=False)
        crowd = crowd_at(self.event)
        crowd.wait_for_answers(10)
        with valkey.gone():
            crowd.wait_for_answers(50)
        assert {line.status for line in crowd.join()} == {303}
        assert wrongly_turned_away(self.event.pk, log.lines) == []

    def test_stopped_before_the_rush_still_sells_no_seat_twice(self, valkey, make_event, crowd_at):
        self.event = make_event(total_slots=ALL // 2, waitlist=False)
        with valkey.gone():
            crowd = crowd_at(self.event)
            assert {line.status for line in crowd.join()} == {303, 409}
            assert is_sold_out(self.event)()

    def test_stalled_in_the_rush_is_waited_for_only_shortly(self, valkey, make_event, crowd_at, log):
        self.event = make_event(total_slots=ALL + 20, waitlist=False)
        crowd = crowd_at(self.event)
        crowd.wait_for_answers(10)
        with valkey.stalled():
            crowd.wait_for_answers(50)
        assert {line.status for line in crowd.join()} == {303}
        assert max(line.ended - line.began for line in log.lines) < 10
        assert wrongly_turned_away(self.event.pk, log.lines) == []

    def test_wiped_in_the_rush_stops_nobody(self, valkey, make_event, crowd_at, log):
        self.event = make_event(total_slots=ALL + 20, waitlist=False)
        crowd = crowd_at(self.event)
        for answers in (10, 20, 30):
            crowd.wait_for_answers(answers)
            valkey.wipe()
        assert {line.status for line in crowd.join()} == {303}
        assert wrongly_turned_away(self.event.pk, log.lines) == []

    def test_saying_0_while_seats_are_free_turns_people_away_for_a_minute_at_most(
        self, valkey, make_event, crowd_at, two_webs, log
    ):
        self.event = make_event(total_slots=ALL // 2, waitlist=False)
        crowd = crowd_at(self.event)
        crowd.wait_for_answers(10)
        valkey.set(counter(self.event), 0)
        valkey.set(f"event:{self.event.pk}:under_way", 0)  # else nobody believes it while others book
        crowd.join()
        servers = [web.address for web in two_webs]
        assert come_again(crowd.answers, self.event.pk, servers, until=is_sold_out(self.event))
        last_sold = max(line.began for line in log.lines if line.status == 303)
        assert any(line.status == 409 and line.ended < last_sold for line in log.lines), "it was not believed"

    def test_saying_0_where_one_can_wait_turns_nobody_away(self, valkey, make_event, crowd_at):
        self.event = make_event(total_slots=ALL, waitlist=True)
        crowd = crowd_at(self.event, or_wait=True)
        for answers in (5, 15, 25):
            crowd.wait_for_answers(answers)
            valkey.set(counter(self.event), 0)
        assert {line.status for line in crowd.join()} == {303}
        assert is_sold_out(self.event)()

    def test_saying_many_while_none_is_free_sells_nothing_twice(self, valkey, make_event, crowd_at):
        self.event = make_event(total_slots=ALL // 2, waitlist=False)
        crowd = crowd_at(self.event)
        crowd.wait_for_answers(10)
        for _ in range(20):
            valkey.set(counter(self.event), 1000)
            time.sleep(0.1)
        assert {line.status for line in crowd.join()} == {303, 409}
        assert is_sold_out(self.event)()

    def test_a_hiccup_in_the_rush_costs_nobody_their_answer(
        self, valkey, make_event, visitors, two_webs, log
    ):
        """Shorter than anybody's patience; those who booked together meanwhile do so once more, together."""
        parties = [1] * 180
        self.event = make_event(total_slots=len(parties) + 20, waitlist=False)
        servers = [web.address for web in two_webs]
        crowd = Crowd(visitors(len(parties)), self.event.pk, servers, parties=parties, at_once=60)
        for answers in (20, 60, 100):
            crowd.wait_for_answers(answers)
            with valkey.stalled():
                time.sleep(0.4)
        assert {line.status for line in crowd.join()} == {303}
        assert {line.status for line in log.lines} == {303}
