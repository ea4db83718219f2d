"""Tells the live processes, through Redis, what has changed: ids, no state.

A thread of its own does the telling, so that a booking never waits for Redis. It publishes at once, then
rests for a moment and publishes in one message whatever has changed meanwhile: a change is never left out,
only told together with others. While Redis is away it keeps what it has to say and tries again at growing
intervals. What is lost all the same, with a killed process or too long an outage, the live processes find by
themselves: they look every half a minute (`notifications.live.hub`).
"""

import json
import logging
import os
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from uuid import UUID

import redis

REST = 0.25  # seconds between two messages: an event is shown at most four times a second
TIMEOUT = 0.15  # seconds for Redis to answer
LONGEST_PAUSE = 5.0  # seconds between two attempts while it does not
MOST_IN_A_MESSAGE = 1_000
MOST_KEPT = 20_000  # changes kept while Redis is away

logger = logging.getLogger(__name__)

Change = tuple[str, str]  # a kind of thing ("events", "people") and an id


class Announcer:
    """Publishes on `channel` of the Redis at `url`."""

    def __init__(self, url: str, channel: str) -> None:
        self._url, self._channel = url, channel
        self.reset()
        os.register_at_fork(after_in_child=self.reset)

    def reset(self) -> None:
        """Begin anew; a forked process has neither the thread nor the connection of its parent."""
        self._lock = threading.Lock()
        self._something_changed = threading.Event()
        self._changed: dict[Change, None] = {}  # in the order in which they came
        self._thread: threading.Thread | None = None
        self._client: redis.Redis | None = None

    def announce(self, kind: str, ids: Iterable[UUID]) -> None:
        """Have it told that these changed."""
        with self._lock:
            if len(self._changed) < MOST_KEPT:
                self._changed.update(dict.fromkeys((kind, str(each)) for each in ids))
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="live announcer", daemon=True)
                self._thread.start()
        self._something_changed.set()

    def finish(self) -> None:
        """Tell what is still to be told, once; for a process that is about to end."""
        with suppress(redis.RedisError, OSError):  # the live processes will find it by themselves
            self._publish()

    def _run(self) -> None:
        pause = REST
        while True:
            self._something_changed.wait()
            self._something_changed.clear()
            try:
                self._publish()
            except (redis.RedisError, OSError) as error:
                if pause == REST:
                    logger.warning("Redis is away, live updates are late: %s", error)
                self._something_changed.set()
                pause = min(pause * 2, LONGEST_PAUSE)
            else:
                pause = REST
            time.sleep(pause)

    def _publish(self) -> None:
        with self._lock:
            changed, self._changed = self._changed, {}
        untold = list(changed)
        try:
            while untold:
                message: dict[str, list[str]] = {}
                for kind, each in untold[:MOST_IN_A_MESSAGE]:
                    message.setdefault(kind, []).append(each)
                self._redis.publish(self._channel, json.dumps(message))
                untold = untold[MOST_IN_A_MESSAGE:]
        finally:
            if untold:
                with self._lock:
                    self._changed = dict.fromkeys(untold) | self._changed

    @property
    def _redis(self) -> redis.Redis:
        if self._client is None:
            self._client = redis.Redis.from_url(
                self._url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT, retry=None
            )
        return self._client
