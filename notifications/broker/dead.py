"""The dead letters: looked at and taken out one by one, by hand."""

from collections.abc import Iterator
from contextlib import contextmanager

import pika

from notifications.broker.connecting import parameters
from notifications.broker.errors import amqp_trouble
from notifications.broker.topology import Topology


class DeadLetters:
    def __init__(self, channel, topology: Topology) -> None:
        self._channel, self._topology = channel, topology

    def count(self) -> int:
        with amqp_trouble():
            frame = self._channel.queue_declare(self._topology.dead, passive=True)
        return frame.method.message_count

    def take(self) -> Iterator[bytes]:
        """Each letter, gone for good once the next one is asked for."""
        for _ in range(self.count()):
            with amqp_trouble():
                method, _, body = self._channel.basic_get(self._topology.dead)
            if method is None:
                return
            yield body
            with amqp_trouble():
                self._channel.basic_ack(method.delivery_tag)


@contextmanager
def dead_letters(url: str, topology: Topology) -> Iterator[DeadLetters]:
    """The dead letters of a broker.

    Raises:
        BrokerAway: it does not answer, or has no such queue yet.
    """
    with amqp_trouble():
        connection = pika.BlockingConnection(parameters(url))
    try:
        yield DeadLetters(connection.channel(), topology)
    finally:
        if connection.is_open:
            connection.close()
