"""How many messages stand in queues, and how many read them. Nothing is declared or taken."""

from dataclasses import dataclass

import pika

from notifications.broker.connecting import parameters
from notifications.broker.errors import amqp_trouble


@dataclass(frozen=True)
class Depth:
    messages: int
    consumers: int


def depths(url: str, queues: list[str]) -> dict[str, Depth | None]:
    """By queue; None for one that there is not.

    Raises:
        BrokerAway: it does not answer.
    """
    with amqp_trouble():
        connection = pika.BlockingConnection(parameters(url))
    try:
        with amqp_trouble():
            return {queue: _depth(connection, queue) for queue in queues}
    finally:
        if connection.is_open:
            connection.close()


def _depth(connection: pika.BlockingConnection, queue: str) -> Depth | None:
    channel = connection.channel()  # one each, since the broker closes it where there is no such queue
    try:
        told = channel.queue_declare(queue, passive=True).method
    except pika.exceptions.ChannelClosedByBroker as closed:
        if closed.reply_code == 404:
            return None
        raise
    channel.close()
    return Depth(told.message_count, told.consumer_count)
