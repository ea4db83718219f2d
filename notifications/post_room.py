"""Several connections to the mail server, each with a thread of its own, so that they wait side by side.

A mail server far away takes its time for each mail; so do words and calendar entries. What is for one person
always goes through the same window, in the order in which it was handed in. Each mail goes in with a ticket,
and what became of it comes back with that ticket, however late and whoever asks by then.
"""

import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage

from notifications.post import Post
from orgs.crash_points import crash_point

Ticket = TypeVar("Ticket")
TOGETHER = 0.002  # seconds in which mails count as settled together: they are marked by one statement

logger = logging.getLogger(__name__)


class Unwritable(Exception):
    """A mail cannot be put into words."""


class PostRoom(Generic[Ticket]):
    """`size`: how many windows there are, each with a connection of its own. `unmarked`: tickets of mails
    that the server took and the table does not know of yet; they outlive an outage of the database."""

    def __init__(self, size: int | None = None) -> None:
        self.size = size or settings.MAIL_CONNECTIONS
        self._posts = [Post() for _ in range(self.size)]
        self._windows = [ThreadPoolExecutor(1, thread_name_prefix="post") for _ in range(self.size)]
        self._settled: SimpleQueue[tuple[Ticket, Exception | None]] = SimpleQueue()
        self.unmarked: list[Ticket] = []

    def window_of(self, person: UUID) -> int:
        return person.int % self.size

    def hand_in(self, window: int, ticket: Ticket, write: Callable[[], EmailMessage]) -> None:
        """Have a mail written and sent; `settled` tells what became of it."""
        say = copy_context()  # with what is logged there, whatever is said here
        self._windows[window].submit(say.run, self._send, window, ticket, write)

    def settled(self, most: int, *, within: float) -> list[tuple[Ticket, Exception | None]]:
        """The tickets, `most` at once, whose mail is settled: None where the server took it, else Unwritable
        or what `Post.send` raises. As soon as there is one, and those that come with it; none after `within`
        seconds."""
        settled, until = [], time.monotonic() + within
        try:
            while len(settled) < most:
                settled.append(self._settled.get(timeout=max(0.0, until - time.monotonic())))
                until = time.monotonic() + TOGETHER
        except Empty:
            pass
        return settled

    def is_back(self) -> bool:
        """Whether the server can be reached now."""
        return self._posts[0].is_back()

    def rest(self) -> None:
        """Give up connections that have long been idle. Nothing is in hand."""
        for post in self._posts:
            post.rest()

    def close(self) -> None:
        for window, post in zip(self._windows, self._posts, strict=True):
            window.shutdown()
            post.close()

    def _send(self, window: int, ticket: Ticket, write: Callable[[], EmailMessage]) -> None:
        try:
            self._posts[window].send(_written(write))
            crash_point("sender:mailed")
        except (
            Exception
        ) as error:  # every kind of it is somebody's to judge, and none may be lost in a thread
            self._settled.put((ticket, error))
        else:
            self._settled.put((ticket, None))


def _written(write: Callable[[], EmailMessage]) -> EmailMessage:
    try:
        return write()
    except Exception as error:  # whatever is wrong with one payload must not hold up the others
        logger.exception("A notification cannot be put into words.")
        raise Unwritable(f"It cannot be put into words: {type(error).__name__}: {error}") from error
