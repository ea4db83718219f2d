"""People are told, whatever dies on the way: once, or a second time where the send itself was cut."""

import threading
import time
from contextlib import contextmanager

import pytest
from django.conf import settings

from notifications.broker import Topology
from notifications.broker.topology import EVERY_TYPE
from notifications.tasks import STAY
from tests.faults import mail_sink as smtp
from tests.faults.outbox import Owed, let_time_pass, put_right, wait_until

NAMES = Topology()
MAILS_IN_HAND = settings.MAIL_CONNECTIONS  # of a sender: so many may come twice when it is killed


@contextmanager
def no_binding(broker):
    """The exchange leads to no queue: the binding that every relay declares is taken away at once again."""
    over = threading.Event()

    def unbind():
        channel = broker.channel()
        while not over.is_set():
            channel.queue_unbind(NAMES.queue, NAMES.exchange, EVERY_TYPE)
        channel.connection.close()

    thread = threading.Thread(target=unbind)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


class TestARelayThatIsKilled:
    @pytest.mark.parametrize("point", ["relay:claimed", "relay:published"])
    def test_leaves_what_it_had_in_hand_to_the_next(self, point, house, mail_sink):
        house.sender(), house.beat()
        doomed = house.worker(HAPPENING_CRASH_AT=point)
        owed = Owed(20)
        wait_until(lambda: "WorkerLostError" in doomed.last_words() or owed.rows.exclude(attempts=0).exists())
        time.sleep(1)
        doomed.kill()
        let_time_pass()
        house.worker()
        put_right()
        owed.wait(delivered=20)
        assert owed.complaints(mail_sink) == []

    def test_as_the_parent_or_as_a_child_loses_nothing(self, running, mail_sink):
        worker, *_ = running
        owed = Owed(400)
        owed.wait(delivered=1)
        worker.kill_child()
        owed.wait(delivered=50)
        worker.kill()
        let_time_pass()
        worker.start()
        owed.wait(delivered=400)
        assert owed.complaints(mail_sink) == []


class TestASenderThatIsKilled:
    @pytest.mark.parametrize(("point", "twice"), [("sender:taken", 0), ("sender:mailed", MAILS_IN_HAND)])
    def test_costs_at_most_the_mails_in_hand_twice(self, point, twice, house, mail_sink):
        house.worker(), house.beat()
        doomed = house.sender(HAPPENING_CRASH_AT=f"{point}:{1 if point == 'sender:taken' else 7}")
        owed = Owed(40)
        doomed.wait_for_end(60)
        let_time_pass()
        house.sender()
        put_right()
        owed.wait(delivered=40)
        assert owed.complaints(mail_sink, twice=twice) == []

    def test_in_the_middle_of_many_hands_over_to_another(self, running, house, mail_sink):
        *_, sender = running
        house.command("deliver_notifications")
        owed = Owed(300)
        owed.wait(delivered=50)
        sender.kill()
        time.sleep(1)
        owed.wait(delivered=240)
        let_time_pass()
        put_right()
        owed.wait(delivered=300)
        assert owed.complaints(mail_sink, twice=MAILS_IN_HAND) == []


class TestABeatThatIsKilled:
    def test_delays_only_what_nobody_nudged_for(self, house, mail_sink, monkeypatch):
        house.worker(), house.sender()
        beat = house.beat()
        beat.kill()
        owed = Owed(3)
        owed.wait(delivered=3)  # the commit has nudged
        time.sleep(2 * STAY)  # and the relay no longer looks for more
        monkeypatch.setattr("notifications.outbox.nudge", lambda _: None)
        forgotten = Owed(3)
        time.sleep(2)
        assert forgotten.states() == {"pending": 3}
        beat.start()
        forgotten.wait(delivered=3)
        assert forgotten.complaints(mail_sink) == []


class TestRabbitMQ:
    def test_stopped_keeps_people_waiting_and_nothing_else(self, running, broker, mail_sink):
        with broker.gone():
            owed = Owed(20)
            time.sleep(4)
            assert owed.states() == {"pending": 20}
        owed.wait(delivered=20)
        assert set(owed.rows.values_list("attempts", flat=True)) == {1}
        assert owed.complaints(mail_sink) == []

    def test_restarted_in_the_middle_loses_nothing(self, running, broker, mail_sink):
        owed = Owed(400)
        owed.wait(delivered=50)
        broker.restart()
        owed.come_through()
        assert owed.complaints(mail_sink) == []

    def test_without_its_queue_gets_it_back_and_what_was_in_it(self, running, broker, mail_sink):
        *_, sender = running
        sender.stop()
        owed = Owed(30)
        owed.wait(sent=30)
        channel = broker.channel()
        channel.queue_delete(NAMES.queue)
        channel.exchange_delete(NAMES.exchange)
        sender.start()
        let_time_pass()
        put_right()
        owed.wait(delivered=30)
        assert owed.complaints(mail_sink) == []

    def test_without_a_binding_keeps_what_no_queue_takes(self, running, broker, mail_sink):
        worker, *_ = running
        Owed(1).wait(delivered=1)
        with no_binding(broker):
            owed = Owed(400)
            wait_until(owed.rows.filter(status="pending", last_error__contains="NO_ROUTE").exists)
            wait_until(lambda: "were not sent and will be offered again" in worker.log.read_text())
        let_time_pass()
        owed.wait(delivered=400)
        assert set(owed.rows.values_list("attempts", flat=True)) == {1}
        assert owed.complaints(mail_sink) == []

    @pytest.mark.parametrize(
        ("alarm", "over"),
        [
            (("set_disk_free_limit", "100000GB"), ("set_disk_free_limit", "50MB")),
            (("set_vm_memory_high_watermark", "0.00001"), ("set_vm_memory_high_watermark", "0.4")),
        ],
        ids=["disk", "memory"],
    )
    def test_without_room_is_let_go_and_keeps_people_waiting(
        self, alarm, over, running, house, broker, mail_sink
    ):
        broker.control(*alarm)
        try:
            owed = Owed(10)
            relay = house.command("drain_outbox")  # no task comes to a worker now
            assert relay.wait_for_end(60) == 1
            assert "RabbitMQ is away (ConnectionBlockedTimeout" in relay.last_words()
            assert owed.states() == {"pending": 10}
            assert set(owed.rows.values_list("attempts", "lease_until")) == {(0, None)}
        finally:
            broker.control(*over)
        let_time_pass()
        owed.wait(delivered=10)
        assert owed.complaints(mail_sink) == []


class TestTheMailServer:
    def test_gone_costs_nobody_an_attempt(self, running, mail_sink):
        mail_sink.stop()
        owed = Owed(20)
        wait_until(lambda: owed.rows.filter(last_error__contains="cannot be reached").exists())
        mail_sink.start()
        let_time_pass()
        owed.wait(delivered=20)
        assert owed.complaints(mail_sink) == []

    @pytest.mark.parametrize("mode", [smtp.REFUSE, smtp.STALL, smtp.TEMPORARY])
    def test_that_does_not_take_mail_gets_it_later(self, mode, running, mail_sink):
        mail_sink.mode = mode
        owed = Owed(3)
        wait_until(lambda: owed.rows.filter(status="pending").exclude(last_error=None).exists())
        mail_sink.mode = smtp.ACCEPT
        time.sleep(3)  # what is in hand meets the old mode or the new one
        let_time_pass()
        owed.wait(delivered=3)
        assert owed.complaints(mail_sink) == []

    def test_that_refuses_for_good_is_believed(self, running, mail_sink):
        mail_sink.mode = smtp.PERMANENT
        owed = Owed(3)
        owed.wait(failed=3)
        assert owed.complaints(mail_sink) == []
        assert set(owed.rows.values_list("last_error", flat=True)) == {
            "The mail server said 550: no such person"
        }

    def test_that_cuts_after_taking_may_get_a_mail_twice(self, running, mail_sink):
        mail_sink.mode = smtp.CUT
        owed = Owed(1)
        wait_until(lambda: mail_sink.mails)
        mail_sink.mode = smtp.ACCEPT
        wait_until(lambda: "pending" in owed.states() or "delivered" in owed.states())
        let_time_pass()
        owed.wait(delivered=1)
        assert owed.complaints(mail_sink, twice=1) == []


class TestPoison:
    def test_in_a_payload_fails_alone_with_its_reason(self, house, mail_sink):
        house.env["DELIVERY_TRIES"] = "1"
        house.worker(), house.beat(), house.sender()
        poisoned, sound = Owed(2, starts_at="tomorrow"), Owed(5)
        poisoned.wait(failed=2)
        sound.wait(delivered=5)
        assert poisoned.complaints(mail_sink) + sound.complaints(mail_sink) == []

    def test_in_the_queue_ends_with_the_dead_letters(self, running, broker, mail_sink):
        channel = broker.channel()
        wait_until(lambda: Owed(1).wait(delivered=1) is None)
        channel.basic_publish(NAMES.exchange, "gossip", b"\xff\xfe no id")
        owed = Owed(5)
        owed.wait(delivered=5)
        assert owed.complaints(mail_sink) == []
        dead = lambda: channel.queue_declare(NAMES.dead, passive=True).method.message_count  # noqa: E731
        wait_until(dead)
        channel.queue_purge(NAMES.dead)


class TestRedis:
    def test_being_down_keeps_nobody_from_being_told(self, running, valkey, mail_sink):
        Owed(1).wait(delivered=1)
        with valkey.gone():
            owed = Owed(10)
            owed.wait(delivered=10)
        assert owed.complaints(mail_sink) == []
