"""Several connections to the mail server, each with a thread of its own, so that they wait side by side.

A mail server far away takes its time for each mail; so do words and calendar entries. What is for one person
always goes through the same window, in the order in which it was handed in.
"""

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage

from notifications.post import Post
from orgs.crash_points import crash_point

logger = logging.getLogger(__name__)


class Unwritable(Exception):
    """A mail cannot be put into words."""


class PostRoom:
    """`size`: how many connections."""

    def __init__(self, size: int | None = None) -> None:
        self.size = size or settings.MAIL_CONNECTIONS
        self._posts = [Post() for _ in range(self.size)]
        self._windows = [ThreadPoolExecutor(1, thread_name_prefix="post") for _ in range(self.size)]

    def hand_in(self, person: UUID, write: Callable[[], EmailMessage]) -> Future:
        """Have a mail written and sent. The future raises Unwritable, or what `Post.send` raises."""
        window = person.int % self.size
        return self._windows[window].submit(_send, self._posts[window], write)

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


def _send(post: Post, write: Callable[[], EmailMessage]) -> None:
    try:
        letter = write()
    except Exception as error:  # whatever is wrong with one payload must not hold up the others
        logger.exception("A notification cannot be put into words.")
        raise Unwritable(f"It cannot be put into words: {type(error).__name__}: {error}") from error
    post.send(letter)
    crash_point("sender:mailed")
