"""How a message comes from the relay to the sender: over RabbitMQ, or where there is none, straight.

Both go through the same states. Without a broker the worker that drains also delivers: the line publishes
by delivering, and nothing waits in it.
"""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Protocol
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from notifications.broker import Publisher, Settled, Topology
from notifications.delivery import deliver
from notifications.post_room import PostRoom

PAGE_STRAIGHT = 50


class Line(Protocol):
    def waiting(self) -> int:
        """How many messages are under way."""

    def send(self, messages: Iterable[tuple[str, str]]) -> None:
        """Put a message under way for each (id, type), without waiting for what becomes of it."""

    def settle(self) -> Settled:
        """What became of the messages that were sent last; returns when each one's fate is known."""


def to_the_sender() -> AbstractContextManager[Line]:
    return Publisher(settings.AMQP_URL, Topology.ours()) if settings.AMQP_URL else Straight()


def at_once(most: int) -> int:
    """How many of `most` rows may be sent at once. Without a broker they are few: the relay's lease must
    last until they are delivered, and so are those that it has claimed meanwhile."""
    return most if settings.AMQP_URL else min(most, PAGE_STRAIGHT)


class Straight:
    """The sender in this very process, page by page. What it keeps of mails that went while the database was
    away ends with it, so these go twice."""

    def __enter__(self) -> "Straight":
        self.post = PostRoom()
        return self

    def __exit__(self, *_) -> None:
        self.post.close()

    def waiting(self) -> int:
        return 0

    def send(self, messages: Iterable[tuple[str, str]]) -> None:
        self._sent = [message_id for message_id, _ in messages]

    def settle(self) -> Settled:
        deliver([UUID(each) for each in self._sent], room=self.post, clock=timezone.now)
        return Settled(sent=self._sent)
