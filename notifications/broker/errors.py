"""What leaves this package when AMQP does not do as it should."""

from collections.abc import Iterator
from contextlib import contextmanager

from pika.exceptions import AMQPError, ChannelClosedByBroker

PRECONDITION_FAILED = 406


class BrokerAway(Exception):
    """RabbitMQ does not answer, holds us up, or has cut the connection. It may be tried again."""


class DoesNotFit(BrokerAway):
    """What stands at the broker under our names is not what we declare. Somebody has to look at it."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"RabbitMQ has an exchange or queue of our name that was declared otherwise: {reason}. "
            "Let its messages be delivered or redriven, delete it, and start again."
        )


def away(error: BaseException) -> BrokerAway:
    """The same trouble in this package's words."""
    if isinstance(error, BrokerAway):
        return error
    if isinstance(error, ChannelClosedByBroker) and error.reply_code == PRECONDITION_FAILED:
        return DoesNotFit(error.reply_text)
    words = f"{type(error).__name__}: {error}".rstrip(": ")
    return BrokerAway(f"RabbitMQ is away ({words})")


@contextmanager
def amqp_trouble() -> Iterator[None]:
    """What AMQP or its socket throws inside leaves as BrokerAway."""
    try:
        yield
    except (AMQPError, OSError) as error:
        raise away(error) from error
