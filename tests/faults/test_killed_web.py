"""A process is ended between two steps of a booking, or when seats came free and nobody who follows knows it
yet; people send their forms again, to another."""

import random
import signal
import time

import pytest

from bookings.models import Booking
from events.models import Event
from tests.faults.checker import complaints, counter_complaints, mirror_complaints, wait_until_mended
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
FREEING = {
    "cancel": "cancel(booking_id='{booking}', actor_id=None, now=now())",
    "modify": "modify(booking_id='{booking}', version=1, actor_id=None, now=now(), seats=1)",
    "change_capacity": "change_capacity(event_id='{event}', total_slots=8, actor_id=None, now=now())",
}
PROMOTING = "promote(booking_id='{booking}', reason='They play first.', actor_id='{booking}', now=now())"


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


@pytest.mark.usefixtures("background")
class TestWhenSeatsCameFree:
    @pytest.fixture
    def killed_while(self, site):
        """Run a service in a process that is killed once it has committed, before anybody follows."""

        def running(service: str, *, at: str = "freed:committed") -> None:
            code = f"from bookings.services import *; from django.utils.timezone import now; {service}"
            doomed = site.command("shell", "--no-imports", "-c", code, HAPPENING_CRASH_AT=at)
            assert doomed.wait_for_end(60) == -signal.SIGKILL

        return running

    @pytest.mark.parametrize("service", FREEING)
    def test_a_kill_hides_them_for_a_minute_at_most(
        self, service, site, make_event, visitors, log, valkey, killed_while
    ):
        event = make_event(total_slots=6, waitlist=False)
        servers = [site.web("web").address]
        [*booked, newcomer] = visitors(4)
        Crowd(booked, event.pk, servers, parties=[2] * 3, at_once=1).join()
        booking = Booking.objects.filter(event_id=event.pk).first()
        killed_while(FREEING[service].format(event=event.pk, booking=booking.pk))
        assert counter_complaints(event.pk, valkey) != []
        until = time.monotonic() + 60
        while newcomer.send(event.pk, newcomer.open(event.pk, servers, seats=1), servers).status != 303:
            assert time.monotonic() < until
            time.sleep(1)
        newcomer.close()
        told = [line for line in log.lines if line.booking != str(booking.pk)]
        assert [each for each in complaints(event.pk, told) if str(booking.pk) not in each] == []
        assert wait_until_mended(lambda: counter_complaints(event.pk, valkey)) == []

    @pytest.mark.parametrize("rule", ["strict", "fill"])
    def test_a_kill_in_the_rush_lets_nobody_pass_the_line(
        self, rule, site, make_event, visitors, log, valkey
    ):
        """One in two gives back what they got, while others come and wait."""
        event = make_event(total_slots=30, waitlist=True, queue_rule=rule)
        parties = [1, 2, 4] * 25
        doomed = site.web("doomed", HAPPENING_CRASH_AT="freed:committed")
        servers = [doomed.address, site.web("other").address]
        crowd = Crowd(visitors(len(parties)), event.pk, servers, parties=parties, or_wait=True, leaving=2)
        doomed.wait_until_killed(60)
        doomed.start()
        assert {line.status for line in crowd.join()} == {303}
        assert Booking.objects.waiting().filter(event_id=event.pk).exists()
        assert complaints(event.pk, log.lines) == []
        assert wait_until_mended(lambda: counter_complaints(event.pk, valkey)) == []
        assert wait_until_mended(lambda: mirror_complaints(event.pk, valkey)) == []

    def test_a_kill_after_somebody_was_let_in_out_of_turn_is_mended(
        self, site, make_event, visitors, log, valkey, killed_while
    ):
        event = make_event(total_slots=5, waitlist=True)
        servers = [site.web("web").address]
        Crowd(visitors(4), event.pk, servers, parties=[2, 2, 2, 1], at_once=1, or_wait=True).join()
        small = Booking.objects.waiting().get(event_id=event.pk, seats=1)
        killed_while(PROMOTING.format(booking=small.pk), at="promote:committed")
        small.refresh_from_db()
        assert small.is_confirmed
        assert mirror_complaints(event.pk, valkey) == ["Redis has 2 in line, and there are 1"]
        assert wait_until_mended(lambda: counter_complaints(event.pk, valkey)) == []
        assert wait_until_mended(lambda: mirror_complaints(event.pk, valkey)) == []
        assert complaints(event.pk, log.lines) == []
