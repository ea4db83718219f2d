"""What stands at RabbitMQ, on names of this test's own: declared otherwise, missing, full, unheard."""

from uuid import uuid4

import pika
import pytest
from django.conf import settings as configured
from kombu import Connection, Exchange, Queue

from happening import celery
from happening.doctor import queues
from happening.doctor.look import NotThere
from happening.settings import celery_redis_url
from happening.tests.doctor.conftest import wrong
from notifications.broker import Consumer, Publisher, Topology
from notifications.broker.connecting import parameters

NOBODY = 1  # a port where nobody listens


@pytest.fixture
def names(settings):
    if not configured.AMQP_URL:
        pytest.skip("no RabbitMQ answers")
    ours = Topology(f"doctor-{uuid4().hex[:12]}")
    yield ours
    with_channel = channel()
    for queue in (ours.queue, ours.dead):
        with_channel.queue_delete(queue)
    with_channel.exchange_delete(ours.exchange)
    with_channel.connection.close()


def channel():
    return pika.BlockingConnection(parameters(configured.AMQP_URL)).channel()


def says(findings) -> str:
    return "\n".join(f"{one.says} -> {one.mend}" for one in findings)


class TestTheBroker:
    def test_is_named_with_its_version(self):
        [finding] = queues.answers()
        assert finding.is_ok

    def test_that_is_away_is_said_with_its_mend(self, settings, monkeypatch):
        settings.AMQP_URL = f"amqp://127.0.0.1:{NOBODY}//"
        monkeypatch.setenv("AMQP_URL", settings.AMQP_URL)
        with pytest.raises(NotThere, match="does not answer") as trouble:
            list(queues.answers())
        assert "AMQP_URL" in trouble.value.mend


class TestTheTopology:
    def test_is_not_made_by_looking(self, names):
        assert "is not there yet" in says(queues.topology(names))
        assert "is not there yet" in says(queues.topology(names))

    def test_that_is_missing_is_wrong_in_production(self, names, settings):
        settings.DEVELOPMENT = False
        assert "deliver_notifications" in says(wrong(queues.topology(names)))

    def test_is_well_as_the_relay_declares_it(self, names):
        with Publisher(configured.AMQP_URL, names):
            assert wrong(queues.topology(names)) == []

    def test_with_a_queue_of_other_arguments_is_said_with_what_differs(self, names):
        arguments = {"x-expires": 60_000, "x-max-length": 5}
        link = channel()
        link.queue_declare(names.queue, durable=True, arguments=arguments)
        [otherwise] = [one for one in wrong(queues.topology(names)) if "declared otherwise" in one.says]
        assert "inequivalent arg" in otherwise.says
        assert f"rabbitmqctl delete_queue {names.queue}" in otherwise.mend
        link.queue_delete(names.queue)  # what that command does
        link.connection.close()
        with Publisher(configured.AMQP_URL, names):
            assert wrong(queues.topology(names)) == []

    def test_with_an_exchange_of_another_type_is_said(self, names):
        link = channel()
        link.exchange_declare(names.exchange, "fanout", durable=True, auto_delete=True)
        assert f"the exchange {names.exchange} was declared otherwise" in says(wrong(queues.topology(names)))
        link.connection.close()

    def test_misses_a_sender_where_messages_wait(self, names):
        with Publisher(configured.AMQP_URL, names) as publisher:
            publisher.send([(str(uuid4()), "booking_confirmed")])
            assert publisher.settle().sent
            assert "1 message waits, 0 processes listen" in says(wrong(queues.topology(names)))
            with Consumer(configured.AMQP_URL, names, prefetch=1):
                assert wrong(queues.topology(names)) == []

    def test_counts_the_dead_letters(self, names):
        with Publisher(configured.AMQP_URL, names) as publisher:
            publisher.send([(str(uuid4()), "booking_confirmed")])
            assert publisher.settle().sent
            with Consumer(configured.AMQP_URL, names, prefetch=1) as consumer:
                [delivery] = consumer.batch(most=1, seconds=5)
                consumer.refuse(delivery)
                consumer.rest(0.2)
                assert "redrive_notifications" in says(wrong(queues.topology(names)))


class TestCelerysQueue:
    @pytest.fixture
    def name(self, monkeypatch, settings):
        if not configured.AMQP_URL:
            pytest.skip("no RabbitMQ answers")
        name = f"doctor-{uuid4().hex[:12]}.happening"
        monkeypatch.setattr(celery, "NAME", name)
        monkeypatch.setattr(celery, "INSTANCE", name)  # light, and gone when idle
        yield name
        link = channel()
        link.queue_delete(name)
        link.exchange_delete(name)
        link.connection.close()

    def test_is_not_made_by_looking(self, name):
        assert "is not there yet" in says(queues.of_celery())
        assert "is not there yet" in says(queues.of_celery())

    def test_is_well_as_celery_declares_it(self, name):
        with Connection(configured.AMQP_URL) as link:
            celery.queue()(link.channel()).declare()
        assert wrong(queues.of_celery()) == []

    def test_of_other_arguments_is_said(self, name):
        with Connection(configured.AMQP_URL) as link:
            exchange = Exchange(name, type="topic", durable=True)
            Queue(name, exchange, routing_key=name, expires=60)(link.channel()).declare()
        assert f"rabbitmqctl delete_queue {name}" in says(wrong(queues.of_celery()))

    def test_over_redis_asks_the_workers(self, settings):
        settings.AMQP_URL, settings.CELERY_BROKER_URL = "", celery_redis_url()
        settings.DEVELOPMENT = False
        [finding] = wrong(queues.of_celery())
        assert "0 processes listen" in finding.says
