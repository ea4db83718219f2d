"""The answer of a view to somebody who wants to watch: a stream of server-sent events.

A view is an ordinary one: it finds out, behind all middleware, what the person may see, and answers with the
topics. The live process (`server`) takes it from there. Where a stream is served as an ordinary page it tells
everything once and ends; the browser then comes back by itself after a while, so it still is kept informed.
"""

import random
from collections.abc import Iterable, Iterator
from itertools import groupby

from django.http import HttpRequest, StreamingHttpResponse

from notifications.live.topics import Topic, frame
from orgs.client_address import address_of

COME_BACK_AFTER = (2.0, 8.0)  # seconds, at random, so that not everybody comes back at once
COME_BACK_WHERE_NOTHING_STREAMS = (10.0, 15.0)


class Stream(StreamingHttpResponse):
    """A stream about `topics`, each with its whole state first.

    Args:
        request: who asks for it; `person_id` is None if nobody is signed in.
    """

    def __init__(self, request: HttpRequest, topics: Iterable[Topic]) -> None:
        self.topics, self.person_id = tuple(topics), request.user.pk
        self.address = address_of(request)
        super().__init__(
            self._once(),
            content_type="text/event-stream",
            headers={
                "Cache-Control": "no-store",
                "X-Accel-Buffering": "no",  # nginx
                "Content-Encoding": "identity",  # nobody may gather it up to compress it
            },
        )

    def _once(self) -> Iterator[bytes]:
        yield come_back_after(*COME_BACK_WHERE_NOTHING_STREAMS)
        for source, topics in groupby(self.topics, key=lambda topic: topic.source):
            for state in source.read(list(topics)).values():
                yield frame(source, state)


def come_back_after(least: float, most: float) -> bytes:
    """Tells the browser how many seconds to wait before it connects again."""
    return b"retry: %d\n\n" % (random.uniform(least, most) * 1_000)  # noqa: S311
