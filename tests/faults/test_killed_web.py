"""A web process is ended between two steps of a booking; people send their forms again, to another."""

import random
import time

import pytest

from events.models import Event
from tests.faults.checker import complaints, counter_complaints, wait_until_mended
from tests.faults.crowd import Crowd, come_again

BETWEEN_STEPS = [
    "book:claimed",
    "book:locked",
    "book:written",
    "book:committed",
    "book:given_back",
    "book:answered",
]
PARTIES = [1, 2, 1] * 20  # 80 seats wanted, of 60


def is_sold_out(event):
    return lambda: Event.objects.get(pk=event.pk).available_slots == 0


@pytest.mark.usefixtures("background")
class TestAWebProcessThatIsKilled:
    @pytest.mark.parametrize("point", BETWEEN_STEPS)
    def test_leaves_each_form_with_one_true_answer(self, point, site, make_event, visitors, log, valkey):
        event = make_event(total_slots=60, waitlist=False)
        doomed = site.web("doomed", HAPPENING_CRASH_AT=f"{point}:3")
        other = site.web("other")
        servers = [doomed.address, other.address]
        crowd = Crowd(visitors(len(PARTIES)), event.pk, servers, parties=PARTIES)
        doomed.wait_until_killed(30)
        doomed.start()
        crowd.join()
        assert come_again(crowd.answers, event.pk, servers, until=is_sold_out(event)), "seats stay unsold"
        assert complaints(event.pk, log.lines) == []
        assert wait_until_mended(lambda: counter_complaints(event.pk, valkey)) == []

    def test_hides_no_seat_for_long_that_was_claimed_and_then_refused(
        self, site, make_event, visitors, log, valkey
    ):
        """Ended after the database has said no, before the claim is given back."""
        event = make_event(total_slots=60, waitlist=False, max_seats_per_person=2)
        people = visitors(20)
        doomed, other = site.web("doomed"), site.web("other")
        servers = [doomed.address, other.address]
        Crowd(people, event.pk, servers, parties=[2] * 20).join()
        doomed.stop()
        doomed.start(HAPPENING_CRASH_AT="book:committed")
        greedy = Crowd(people, event.pk, servers, parties=[2] * 20)
        doomed.wait_until_killed(30)
        doomed.start()
        assert {line.status for line in greedy.join()} == {409}
        assert complaints(event.pk, log.lines) == []
        assert wait_until_mended(lambda: counter_complaints(event.pk, valkey)) == []

    def test_loses_nothing_when_it_happens_again_and_again(self, site, make_event, visitors, log, valkey):
        dice = random.Random(20)
        event = make_event(total_slots=160, waitlist=False)
        webs = [site.web("one"), site.web("two")]
        servers = [web.address for web in webs]
        parties = [1, 2, 1, 3] * 25
        crowd = Crowd(visitors(len(parties)), event.pk, servers, parties=parties, at_once=12)
        for number in range(5):
            crowd.wait_for_answers(12 * (number + 1))
            time.sleep(dice.random() * 0.2)
            web = dice.choice(webs)
            web.kill()
            web.start()
        crowd.join()
        assert come_again(crowd.answers, event.pk, servers, until=is_sold_out(event)), "seats stay unsold"
        assert complaints(event.pk, log.lines) == []
        assert wait_until_mended(lambda: counter_complaints(event.pk, valkey)) == []
