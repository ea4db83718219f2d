"""The sender beside a real RabbitMQ and a mail server: as a thread here, as a process in the fault tests."""

import threading
import time

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from prometheus_client import REGISTRY

from notifications import relay, states, transport
from notifications.broker import BrokerAway
from notifications.models import Notification
from notifications.sender import Sender
from notifications.taking import take

SECONDS = 15


def wait_for(truth) -> None:
    deadline = time.monotonic() + SECONDS
    while not truth():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


@pytest.fixture
def sender(rabbit, sink):
    """Start senders; they are asked to end with the test."""
    started = []

    def starting() -> Sender:
        one = Sender()

        def run():
            try:
                one.run()
            finally:
                connection.close()

        thread = threading.Thread(target=run)
        thread.start()
        started.append((one, thread))
        return one

    yield starting
    for one, thread in started:
        one.end()
        thread.join(SECONDS)
        assert not thread.is_alive()


def drain():
    return relay.drain(clock=timezone.now)


def are_delivered(*rows) -> bool:
    return Notification.objects.filter(pk__in=[row.pk for row in rows], status="delivered").count() == len(
        rows
    )


def waiting_senders() -> float:
    """What the alert about a mail server that is away goes by."""
    return REGISTRY.get_sample_value("happening_senders_awaiting_mail_server")


@pytest.mark.django_db(transaction=True)
class TestSender:
    def test_delivers_what_the_relay_publishes(self, owe, sender, sink):
        sender()
        rows = [owe() for _ in range(5)]
        drain()
        wait_for(lambda: are_delivered(*rows))
        assert sorted(sink.addresses) == sorted(row.user.email for row in rows)

    def test_shares_the_work_with_another_and_tells_nobody_twice(self, owe, sender, sink):
        rows = [owe() for _ in range(120)]
        drain()
        Notification.objects.update(status="pending", sent_at=None)
        drain()  # every message stands in the queue twice
        sender(), sender()
        wait_for(lambda: are_delivered(*rows))
        assert sorted(sink.addresses) == sorted(row.user.email for row in rows)

    def test_puts_what_it_cannot_read_with_the_dead_letters(self, owe, sender, rabbit):
        sender()
        with rabbit.publisher() as publisher:
            publisher.send([("no id", "booking_confirmed")])
            assert publisher.settle().sent == ["no id"]
        row = owe()
        drain()
        wait_for(lambda: are_delivered(row))
        channel = rabbit.channel()
        _, _, body = channel.basic_get(rabbit.topology.dead, auto_ack=True)
        assert body == b"no id"

    def test_goes_on_after_its_queue_was_deleted(self, owe, sender, rabbit):
        sender()
        first = owe()
        drain()
        wait_for(lambda: are_delivered(first))
        rabbit.channel().queue_delete(rabbit.topology.queue)
        second = owe()
        drain()
        wait_for(lambda: are_delivered(second))

    def test_waits_for_a_mail_server_that_is_away(self, owe, sender, sink):
        sink.stop()
        row = owe()
        drain()
        sender()
        wait_for(lambda: Notification.objects.get().status == "pending")
        assert Notification.objects.get().attempts == 0
        wait_for(lambda: waiting_senders() == 1)
        sink.start()
        Notification.objects.update(due_at=timezone.now())
        drain()
        wait_for(lambda: are_delivered(row))
        assert len(sink.mails) == 1
        assert waiting_senders() == 0


@pytest.mark.django_db(transaction=True)
class TestASenderThatEnds:
    @pytest.fixture
    def ending(self, owe):
        """It has mailed what it could not mark."""
        one = Sender()
        one.post.unmarked += take([owe().pk], now=timezone.now())
        one.end()
        return one

    def test_marks_what_was_mailed(self, ending):
        ending.run()
        assert Notification.objects.get().status == "delivered"

    def test_says_so_where_it_still_cannot(self, ending, caplog):
        connection.connection.close()  # as PostgreSQL would
        ending.run()
        connection.close()
        assert "1 mails have gone and PostgreSQL cannot be told" in caplog.text


class TestConsumer:
    def test_keeps_what_is_not_done(self, rabbit):
        numbers = [str(number) for number in range(6)]
        with rabbit.publisher() as publisher:
            publisher.send((number, "booking_confirmed") for number in numbers)
            assert publisher.settle().sent == numbers
        with rabbit.consumer() as consumer:
            held = []
            while len(held) < 6:
                held += consumer.batch(most=4, seconds=1)
            consumer.done([held[0], held[1], held[4]])
            consumer.refuse(held[2])
            consumer.done([held[3]])
        assert rabbit.bodies() == ["5"]
        body = rabbit.channel().basic_get(rabbit.topology.dead, auto_ack=True)[2]
        assert body == b"2"

    def test_leaves_no_connection_behind_where_it_may_not_listen(self, rabbit):
        with rabbit.publisher():
            rabbit.channel().basic_consume(rabbit.topology.queue, lambda *_: None, exclusive=True)
        consumer = rabbit.consumer()
        with pytest.raises(BrokerAway, match="exclusive"), consumer:
            raise AssertionError("It listens.")
        assert consumer._connection.is_closed


class TestDeliverNotifications:
    def test_is_not_needed_without_a_broker(self, straight):
        with pytest.raises(CommandError, match="the worker delivers by itself"):
            call_command("deliver_notifications")


@pytest.mark.django_db
class TestWithoutABroker:
    def test_draining_delivers(self, owe, straight, sink, capsys):
        row = owe()
        call_command("drain_outbox")
        row.refresh_from_db()
        assert (row.status, row.attempts, sink.addresses) == ("delivered", 1, [row.user.email])
        assert row.sent_at <= row.delivered_at
        assert "straight to the sender" in capsys.readouterr().out

    def test_takes_few_in_hand_at_once(self, owe, straight, sink, monkeypatch):
        monkeypatch.setattr(transport, "PAGE_STRAIGHT", 4)
        rows, claims, claim = [owe() for _ in range(9)], [], states.claim

        def claiming(**asked):
            claims.append(claimed := claim(**asked))
            return claimed

        monkeypatch.setattr(states, "claim", claiming)
        assert drain() == 9
        assert are_delivered(*rows)
        assert max(map(len, claims)) == 4

    def test_what_cannot_be_mailed_now_waits(self, owe, straight, sink):
        sink.stop()
        row = owe()
        assert drain() == 1
        row.refresh_from_db()
        assert (row.status, row.attempts) == ("pending", 0)
