"""What stands at the broker under our names: asked without changing anything that is there.

AMQP shows no arguments. But a queue that is there can be declared once more, and RabbitMQ says so if that
was done otherwise before; so each is first asked for passively, and declared only where it is.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pika
from pika.exceptions import ChannelClosedByBroker

from notifications.broker.connecting import parameters
from notifications.broker.errors import PRECONDITION_FAILED, amqp_trouble
from notifications.broker.topology import Topology

NOT_FOUND = 404


@dataclass(frozen=True)
class Standing:
    """An exchange or queue. `otherwise`: what RabbitMQ says where it was not declared as we declare it."""

    name: str
    is_there: bool
    otherwise: str = ""
    messages: int = 0
    consumers: int = 0


def standing(url: str, topology: Topology) -> list[Standing]:
    """The exchange, the queue, the dead letters' queue.

    Raises:
        BrokerAway
    """
    with amqp_trouble():
        connection = pika.BlockingConnection(parameters(url))
        try:
            return list(_asked(connection, topology))
        finally:
            if connection.is_open:
                connection.close()


def _asked(connection, names: Topology) -> Iterator[Standing]:
    yield _one(
        connection,
        names.exchange,
        lambda channel: channel.exchange_declare(names.exchange, passive=True),
        lambda channel: channel.exchange_declare(names.exchange, **names.exchange_arguments()),
    )
    for queue, arguments in ((names.queue, names.queue_arguments()), (names.dead, names.dead_arguments())):
        yield _one(
            connection,
            queue,
            lambda channel, queue=queue: channel.queue_declare(queue, passive=True),
            lambda channel, queue=queue, arguments=arguments: channel.queue_declare(
                queue, durable=True, arguments=arguments
            ),
        )


def _one(connection, name: str, look: Callable, declare: Callable) -> Standing:
    """A refusal ends its channel, so each has one."""
    try:
        found = look(connection.channel()).method
    except ChannelClosedByBroker as error:
        if error.reply_code != NOT_FOUND:
            raise
        return Standing(name, is_there=False)
    otherwise = ""
    try:
        declare(connection.channel())
    except ChannelClosedByBroker as error:
        if error.reply_code != PRECONDITION_FAILED:
            raise
        otherwise = error.reply_text
    counts = (
        {"messages": found.message_count, "consumers": found.consumer_count}
        if hasattr(found, "queue")
        else {}
    )
    return Standing(name, True, otherwise, **counts)
