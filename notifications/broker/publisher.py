"""Publishing a page of messages: all in flight at once, and each one's fate known before the next one goes.

A connection of its own, opened where it is used (so never before a fork) and closed with it. Messages are
persistent and mandatory, and the broker confirms each: one that it returns (no queue takes it) or refuses
(nack) was not sent. pika's SelectConnection is driven by a thread until the page is settled or its time is
up, so that whoever sent the page can do something else meanwhile; every wait has an end.
"""

import logging
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import takewhile

import pika

from notifications.broker.connecting import parameters
from notifications.broker.errors import BrokerAway, amqp_trouble, away
from notifications.broker.topology import EVERY_TYPE, Topology

OPEN_SECONDS = 10.0
PAGE_SECONDS = 30.0
CLOSE_SECONDS = 2.0

logger = logging.getLogger(__name__)


@dataclass
class Settled:
    """The fate of a page: ids that a queue has taken, and ids that were refused, with the reason. An id in
    neither has an unknown fate, because the broker went away: `trouble`. `waiting`: how many messages wait in
    the queue afterwards."""

    sent: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    waiting: int = 0
    trouble: BrokerAway | None = None


class Publisher:
    def __init__(self, url: str, topology: Topology, *, page_seconds: float = PAGE_SECONDS) -> None:
        self.url, self.topology, self.page_seconds = url, topology, page_seconds
        self._trouble: BrokerAway | None = None
        self._driver = ThreadPoolExecutor(1, thread_name_prefix="publisher")
        self._page: Future[Settled] | None = None

    def __enter__(self) -> "Publisher":
        """Connect, and declare what must be there.

        Raises:
            BrokerAway: it does not answer in time; DoesNotFit: what is there is not ours.
        """
        with amqp_trouble():
            self._connection = pika.SelectConnection(
                parameters(self.url),
                on_open_error_callback=self._lost,
                on_close_callback=self._lost,
            )
        try:
            self._run(OPEN_SECONDS, until=lambda: self._connection.is_open)
            self._channel = self._ask(self._connection.channel, answer_by="on_open_callback")
            self._channel.add_on_close_callback(self._lost)
            self._channel.add_on_return_callback(self._returned)
            self._declare()
            self._ask(self._channel.confirm_delivery, self._confirmed)
        except BrokerAway:
            self._close()
            raise
        self._tag = 0
        return self

    def __exit__(self, *_) -> None:
        if self._page and not self._page.done():
            left = BrokerAway("Nobody asks any more what became of the page")
            self._connection.ioloop.add_callback_threadsafe(partial(self._lost, None, left))
        self._driver.shutdown()
        self._close()

    def waiting(self) -> int:
        """How many messages wait in the queue now, not counting those that a sender has in hand."""
        frame = self._ask(self._channel.queue_declare, queue=self.topology.queue, passive=True)
        return frame.method.message_count

    def send(self, messages: Iterable[tuple[str, str]]) -> None:
        """Put a message under way for each (id, type), without waiting; `settle` tells their fate."""
        self._page = self._driver.submit(self._publish, list(messages))

    def settle(self) -> Settled:
        """Wait until the fate of every message that was sent is known, or the time is up."""
        return self._page.result()

    def _publish(self, messages: list[tuple[str, str]]) -> Settled:
        self._settled, self._in_flight, self._returned_ids = Settled(), {}, set()
        try:
            with amqp_trouble():
                for message_id, kind in messages:
                    self._tag += 1
                    self._in_flight[self._tag] = message_id
                    self._channel.basic_publish(
                        self.topology.exchange,
                        kind,
                        message_id.encode(),
                        pika.BasicProperties(
                            content_type="text/plain", delivery_mode=2, message_id=message_id, type=kind
                        ),
                        mandatory=True,
                    )
            self._run(self.page_seconds, until=lambda: not self._in_flight)
            self._settled.waiting = self.waiting()
        except BrokerAway as trouble:
            self._settled.trouble = trouble
        return self._settled

    def _declare(self) -> None:
        names, declare = self.topology, self._channel.queue_declare
        self._ask(self._channel.exchange_declare, names.exchange, **names.exchange_arguments())
        self._ask(declare, names.dead, durable=True, arguments=names.dead_arguments())
        self._ask(declare, names.queue, durable=True, arguments=names.queue_arguments())
        self._ask(self._channel.queue_bind, names.queue, names.exchange, EVERY_TYPE)

    # What the broker says of a message. A message that no queue takes is returned before it is confirmed.

    def _returned(self, _channel, method, properties, _body) -> None:
        self._returned_ids.add(properties.message_id)
        self._settled.refused[properties.message_id] = f"No queue takes it: {method.reply_text}"

    def _confirmed(self, frame) -> None:
        tag, taken = frame.method.delivery_tag, isinstance(frame.method, pika.spec.Basic.Ack)
        tags = takewhile(tag.__ge__, self._in_flight) if frame.method.multiple else [tag]
        for each in list(tags):
            message_id = self._in_flight.pop(each, None)
            if message_id is None or message_id in self._returned_ids:
                continue
            if taken:
                self._settled.sent.append(message_id)
            else:
                self._settled.refused[message_id] = "RabbitMQ refused it: the queue is full or has no leader"

    # Driving the connection

    def _ask(self, method: Callable, *words, answer_by: str = "callback", **arguments):
        """Call one of pika's methods and wait for the broker's answer."""
        answer = []
        with amqp_trouble():
            method(*words, **arguments, **{answer_by: answer.append})
        self._run(OPEN_SECONDS, until=lambda: answer)
        return answer[0]

    def _run(self, seconds: float, *, until: Callable[[], object]) -> None:
        """Let the connection work until `until` is true.

        Raises:
            BrokerAway: it was lost, or `seconds` are over.
        """
        loop, is_over = self._connection.ioloop, []
        timer = loop.call_later(seconds, lambda: is_over.append(True))
        loop.activate_poller()
        try:
            with amqp_trouble():
                while not until() and not self._trouble:
                    if is_over:
                        raise BrokerAway(f"RabbitMQ gave no answer within {seconds:.0f} s")
                    loop.poll()
                    loop.process_timeouts()
        except BrokerAway as trouble:
            self._trouble = trouble
        finally:
            loop.deactivate_poller()
            if not is_over:
                loop.remove_timeout(timer)
        if self._trouble:
            raise self._trouble

    def _lost(self, _which, error: Exception) -> None:
        self._trouble = self._trouble or away(error)

    def _close(self) -> None:
        """Say goodbye, but not at any price: a broker that does not answer is left."""
        connection, self._trouble = self._connection, None
        try:
            with amqp_trouble():
                if connection.is_open:
                    connection.close()
            self._run(CLOSE_SECONDS, until=lambda: connection.is_closed)
        except BrokerAway as trouble:
            logger.debug("RabbitMQ did not hear the goodbye: %s", trouble)
        finally:
            connection.ioloop.close()
