"""People are told although RabbitMQ has what ends its readers, somebody else's queue, or a bad network."""

import time
from urllib.parse import urlsplit

import pytest

from notifications.broker import Topology
from notifications.broker.topology import DELIVERY_LIMIT
from tests.faults.outbox import Owed, let_time_pass, put_right, wait_until
from tests.faults.ports import HOST
from tests.faults.wire import Wire

NAMES = Topology()
OTHERWISE = "RabbitMQ has an exchange or queue of our name that was declared otherwise"


class TestAMessageThatEndsItsSenders:
    def test_ends_with_the_dead_letters_and_its_person_is_told(self, house, broker, mail_sink):
        house.worker()
        owed = Owed(1)
        owed.wait(sent=1)
        for death in range(DELIVERY_LIMIT + 1):
            wait_until(lambda: broker.waiting(NAMES.queue))
            if 0 < death < DELIVERY_LIMIT:  # like a sender, only quicker
                channel = broker.channel()
                assert channel.basic_get(NAMES.queue)[0]
                channel.connection.close()
            else:
                house.sender(HAPPENING_CRASH_AT="sender:taken").wait_for_end(60)
        wait_until(lambda: broker.waiting(NAMES.dead))
        assert broker.waiting(NAMES.queue) == 0
        house.sender(), house.beat()
        let_time_pass()
        put_right()
        owed.wait(delivered=1)
        assert owed.complaints(mail_sink) == []
        redrive = house.command("redrive_notifications")
        assert redrive.wait_for_end(60) == 0
        assert "1 dead letters" in redrive.last_words()
        assert broker.waiting(NAMES.dead) == 0


class TestAQueueThatWasDeclaredOtherwise:
    @pytest.fixture
    def channel(self, broker):
        """Somebody has made a queue of the senders' name, and in the end takes it away."""
        channel = broker.channel()
        channel.queue_delete(NAMES.queue)
        channel.queue_declare(NAMES.queue, durable=True)
        yield channel
        channel.queue_delete(NAMES.queue)
        channel.connection.close()

    @pytest.mark.parametrize("command", ["deliver_notifications", "drain_outbox"])
    def test_ends_who_needs_it_with_what_to_do(self, command, house, channel):
        owed = Owed(1)
        program = house.command(command)
        assert program.wait_for_end(60) == 1
        assert OTHERWISE in program.last_words()
        assert "delete it, and start again" in program.last_words()
        assert "Traceback" not in program.last_words()
        assert owed.states() == {"pending": 1}

    def test_keeps_people_waiting_until_it_is_gone(self, house, channel, mail_sink):
        worker, _ = house.worker(), house.beat()
        owed = Owed(5)
        wait_until(lambda: OTHERWISE in worker.log.read_text())
        assert owed.states() == {"pending": 5}
        assert "Traceback" not in worker.log.read_text()
        channel.queue_delete(NAMES.queue)
        house.sender()
        owed.wait(delivered=5)
        assert owed.complaints(mail_sink) == []


class TestANetwork:
    @pytest.fixture
    def wire(self, house, broker):
        """Everything of ours reaches RabbitMQ through it."""
        wire = Wire(broker.port)
        wire.start()
        account = urlsplit(broker.url).netloc.rpartition("@")[0]
        house.env["AMQP_URL"] = f"amqp://{account}@{HOST}:{wire.port}//"
        yield wire
        wire.stop()

    def test_that_is_cut_in_the_middle_loses_nothing(self, wire, running, mail_sink):
        owed = Owed(400)
        owed.wait(delivered=50)
        with wire.cut():
            time.sleep(3)
        owed.come_through()
        assert owed.complaints(mail_sink) == []

    def test_that_swallows_everything_is_noticed_by_relay_and_sender(self, wire, house, mail_sink):
        house.sender()
        before = Owed(1)
        assert house.command("drain_outbox").wait_for_end(60) == 0
        before.wait(delivered=1)
        with wire.silent():
            owed = Owed(5)
            relay = house.command("drain_outbox")
            assert relay.wait_for_end(60) == 1
            assert "RabbitMQ gave no answer within 10 s" in relay.last_words()
            assert set(owed.rows.values_list("status", "attempts")) == {("pending", 0)}
        let_time_pass()
        assert house.command("drain_outbox").wait_for_end(60) == 0
        owed.wait(delivered=5, seconds=150)  # the sender misses its heartbeats, and connects anew
        assert owed.complaints(mail_sink) == []
