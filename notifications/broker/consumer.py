"""Reading from the queue, in batches, for as long as the broker is there.

Between two batches the connection is kept alive by `rest` and `breathe`; whoever holds a batch for long
calls `breathe` meanwhile, so that heartbeats go on. A consumer that RabbitMQ takes off its list (its queue
was deleted, it was too slow) is `BrokerAway` like any other loss; the caller opens a new one.
"""

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import takewhile

import pika

from notifications.broker.connecting import parameters
from notifications.broker.errors import BrokerAway, amqp_trouble
from notifications.broker.topology import EVERY_TYPE, Topology

BREATH = 0.5  # seconds between two looks at the connection while others work

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Delivery:
    tag: int
    body: bytes


class Consumer:
    """`prefetch`: how many messages may be in this consumer's hands."""

    def __init__(self, url: str, topology: Topology, *, prefetch: int) -> None:
        self.url, self.topology, self.prefetch = url, topology, prefetch
        self._arrived: list[Delivery] = []
        self._in_hand: dict[int, None] = {}  # tags that are not acknowledged yet, the oldest first
        self._is_cancelled = False
        self._worked_at = 0.0
        self._consumer_tag: str | None = None

    def __enter__(self) -> "Consumer":
        """Connect, declare what must be there, and listen.

        Raises:
            BrokerAway: it does not answer; DoesNotFit: what is there is not ours.
        """
        with amqp_trouble():
            self._connection = pika.BlockingConnection(parameters(self.url))
            try:
                self._channel = self._connection.channel()
                self._declare()
                self._channel.basic_qos(prefetch_count=self.prefetch)
                self._channel.add_on_cancel_callback(self._cancelled)
                self.listen()
            except BaseException:
                self._let_go()
                raise
        return self

    def __exit__(self, *_) -> None:
        """Whatever was not acknowledged goes back to the queue."""
        self._let_go()

    def listen(self) -> None:
        with amqp_trouble():
            self._consumer_tag = self._channel.basic_consume(self.topology.queue, self._heard)

    def stop_listening(self) -> list[Delivery]:
        """Take no more; returns what had arrived by then and is still in our hands."""
        with amqp_trouble():
            self._channel.basic_cancel(self._consumer_tag)
        arrived, self._arrived = self._arrived, []
        return arrived

    def batch(self, *, most: int, seconds: float) -> list[Delivery]:
        """Up to `most` messages, as soon as there is one; none after `seconds`."""
        if not self._arrived:
            self._work(seconds)
        batch, self._arrived = self._arrived[:most], self._arrived[most:]
        return batch

    def breathe(self) -> None:
        """Let heartbeats through; may be called as often as one likes."""
        if time.monotonic() > self._worked_at + BREATH:
            self._work(0)

    def rest(self, seconds: float) -> None:
        with amqp_trouble():
            self._connection.sleep(seconds)

    def done(self, deliveries: Iterable[Delivery]) -> None:
        """They have been dealt with. Those that nothing older is in hand of are acknowledged in one word."""
        done = {delivery.tag for delivery in deliveries}
        oldest = list(takewhile(done.__contains__, self._in_hand))
        with amqp_trouble():
            if oldest:
                self._channel.basic_ack(oldest[-1], multiple=True)
            for tag in sorted(done.difference(oldest)):
                self._channel.basic_ack(tag)
        for tag in done:
            del self._in_hand[tag]

    def refuse(self, delivery: Delivery) -> None:
        """Put it with the dead letters."""
        with amqp_trouble():
            self._channel.basic_reject(delivery.tag, requeue=False)
        del self._in_hand[delivery.tag]

    def _let_go(self) -> None:
        try:
            with amqp_trouble():
                if self._connection.is_open:
                    self._connection.close()
        except BrokerAway as trouble:
            logger.debug("RabbitMQ did not hear the goodbye: %s", trouble)

    def _work(self, seconds: float) -> None:
        with amqp_trouble():
            self._connection.process_data_events(time_limit=seconds)
        self._worked_at = time.monotonic()
        if self._is_cancelled:
            raise BrokerAway("RabbitMQ has taken us off the list of its consumers")

    def _declare(self) -> None:
        names, channel = self.topology, self._channel
        channel.exchange_declare(names.exchange, **names.exchange_arguments())
        channel.queue_declare(names.dead, durable=True, arguments=names.dead_arguments())
        channel.queue_declare(names.queue, durable=True, arguments=names.queue_arguments())
        channel.queue_bind(names.queue, names.exchange, EVERY_TYPE)

    def _heard(self, _channel, method, _properties, body: bytes) -> None:
        self._arrived.append(Delivery(method.delivery_tag, body))
        self._in_hand[method.delivery_tag] = None

    def _cancelled(self, _method) -> None:
        self._is_cancelled = True
