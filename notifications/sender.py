"""The sender: reads messages from the broker and delivers the notifications that they name.

Runs until it is asked to end, and then ends after the mail in hand; what else it held goes back to the
queue. A broker that goes away is awaited, with growing patience. While the mail server is away the sender
stops listening, so that messages stay in the queue instead of going round; what it holds already goes back
to the table. Several senders may run: a row is in the hands of one at a time.
"""

import logging
import random
from contextlib import suppress
from queue import Empty, SimpleQueue
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections, connection
from django.utils import timezone

from notifications import counts
from notifications.broker import BrokerAway, Consumer, Delivery, DoesNotFit, Topology
from notifications.delivery import Outcome, deliver, mark_taken
from notifications.outbox import DRAIN
from notifications.post import IDLE_SECONDS
from notifications.post_room import PostRoom
from orgs.nudge import nudge

BATCH = 50
LISTEN_SECONDS = 1.0  # for which the sender listens before it looks whether it must end
FIRST_PATIENCE, LONGEST_PATIENCE = 0.5, 4.0

logger = logging.getLogger(__name__)


class Sender:
    def __init__(self) -> None:
        self.post = PostRoom()
        self.is_ending = False
        self._woken: SimpleQueue[None] = SimpleQueue()  # in a signal an Event could wait for itself

    def end(self) -> None:
        """Ask it to end; safe in a signal handler."""
        self.is_ending = True
        self._woken.put(None)

    def run(self) -> None:
        """Deliver until asked to end.

        Raises:
            DoesNotFit: what stands at the broker is not what we declare, which waiting does not mend.
        """
        patience = FIRST_PATIENCE
        while not self.is_ending:
            try:
                mark_taken(self.post, now=timezone.now())
                with Consumer(settings.AMQP_URL, Topology.ours(), prefetch=BATCH) as consumer:
                    logger.info("Listening at RabbitMQ for messages to deliver.")
                    patience = FIRST_PATIENCE
                    self._serve(consumer)
            except DoesNotFit:
                raise
            except BrokerAway as away:
                logger.warning("%s. Trying again.", away)
            except (DatabaseError, InterfaceError) as error:
                connection.close()
                logger.warning("PostgreSQL does not do as asked: %s. Trying again.", str(error).strip())
            if not self.is_ending:
                self._rest(patience * random.uniform(0.5, 1))  # noqa: S311 - nothing secret
                patience = min(2 * patience, LONGEST_PATIENCE)
        self._mark_at_last()
        self.post.close()

    def _rest(self, seconds: float) -> None:
        with suppress(Empty):
            self._woken.get(timeout=seconds)

    def _mark_at_last(self) -> None:
        try:
            mark_taken(self.post, now=timezone.now())
        except (DatabaseError, InterfaceError):
            unmarked = len(self.post.unmarked)
            logger.warning("%d mails have gone and PostgreSQL cannot be told: they may come twice.", unmarked)

    def _serve(self, consumer: Consumer) -> None:
        while not self.is_ending:
            batch = consumer.batch(most=BATCH, seconds=LISTEN_SECONDS)
            if not batch:
                self.post.rest()
                close_old_connections()
            elif self._deliver(batch, consumer).server_is_away:
                self._await_mail_server(consumer)

    def _deliver(self, batch: list[Delivery], consumer: Consumer) -> Outcome:
        """Deliver what the messages name, and acknowledge each whose row has been dealt with."""
        named = {delivery: _row_of(delivery) for delivery in batch}
        for delivery in [each for each, row in named.items() if row is None]:
            logger.error("A message that names no notification goes to the dead letters.")
            consumer.refuse(delivery)
        outcome = deliver(
            [row for row in named.values() if row],
            room=self.post,
            clock=timezone.now,
            between=consumer.breathe,
            stopping=lambda: self.is_ending,
        )
        undone = set(outcome.undone)
        consumer.done([delivery for delivery, row in named.items() if row and row not in undone])
        if outcome.in_bulk:
            nudge(DRAIN)  # there is room again for what is owed in bulk
        return outcome

    @counts.AWAITING.track_inprogress()
    def _await_mail_server(self, consumer: Consumer) -> None:
        logger.warning("The mail server is away. Mail waits until it is back.")
        if in_hand := consumer.stop_listening():
            self._deliver(in_hand, consumer)
        patience = FIRST_PATIENCE
        while not self.is_ending and not self.post.is_back():
            consumer.rest(patience)
            patience = min(2 * patience, IDLE_SECONDS / 2)
        if not self.is_ending:
            logger.info("The mail server is back.")
            consumer.listen()


def _row_of(delivery: Delivery) -> UUID | None:
    try:
        return UUID(delivery.body.decode())
    except ValueError:
        return None
