"""Redis, as the project's own scripts meet it: quick, or done without.

Redis stands in front of PostgreSQL and never instead of it. So nobody waits for it longer than
`REDIS_TIMEOUT`, and after the first failure a breaker keeps everybody away from it for `PAUSE` seconds. Then
one caller tries, and what was missed meanwhile is made good (`on_return`) before the others follow.
"""

import hashlib
import threading
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from time import monotonic

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

PAUSE = 2.0  # seconds


class RedisAway(Exception):
    """Redis did not answer, or not in time; whether it did what it was asked is not known."""


class Script:
    """A Lua script, sent whole once and named by its digest from then on."""

    def __init__(self, path: Path):
        self.text = path.read_text()

    @cached_property
    def digest(self) -> str:
        return hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()


class RedisSide:
    """One logical database of Redis, with a breaker.

    Args:
        purpose: a key of `settings.REDIS_DATABASES`.
        on_return: called with the client after a failure; while it fails, nobody else gets through.
    """

    def __init__(self, purpose: str, on_return: Callable[[redis.Redis], object] = redis.Redis.ping):
        self._purpose, self._on_return = purpose, on_return
        self._lock = threading.Lock()
        self._closed_until = 0.0
        self._failed = False
        self.failures = 0  # how often Redis has failed this process; who sees it grow has lost an answer

    @cached_property
    def client(self) -> redis.Redis:
        return redis.Redis.from_url(
            settings.REDIS_URLS[self._purpose],
            socket_timeout=settings.REDIS_TIMEOUT,
            socket_connect_timeout=settings.REDIS_TIMEOUT,
            retry=Retry(NoBackoff(), 0),
        )

    @property
    def is_away(self) -> bool:
        """Whether the breaker keeps callers away at the moment."""
        return self._failed

    def run(self, script: Script, keys: list[str], arguments: list) -> object:
        """What the script answers.

        Raises:
            RedisAway
        """
        return self.call(lambda client: _evaluate(client, script, keys, arguments))

    def call(self, ask: Callable[[redis.Redis], object]) -> object:
        """What `ask(client)` answers.

        Raises:
            RedisAway
        """
        if self._failed:
            self._try_again()
        try:
            return ask(self.client)
        except (redis.RedisError, OSError) as error:
            self._fail()
            raise RedisAway from error

    def _try_again(self) -> None:
        with self._lock:
            if not self._failed:
                return
            if monotonic() < self._closed_until:
                raise RedisAway
            self._closed_until = monotonic() + PAUSE  # the others stay away while this one tries
        try:
            self.client.connection_pool.disconnect()  # what was open before the failure is as dead as it was
            self._on_return(self.client)
        except (redis.RedisError, OSError) as error:
            self._fail()
            raise RedisAway from error
        self._failed = False

    def _fail(self) -> None:
        with self._lock:
            self._failed, self._closed_until = True, monotonic() + PAUSE
            self.failures += 1


def _evaluate(client: redis.Redis, script: Script, keys: list[str], arguments: list) -> object:
    try:
        return client.execute_command("EVALSHA", script.digest, len(keys), *keys, *arguments)
    except redis.exceptions.NoScriptError:
        return client.execute_command("EVAL", script.text, len(keys), *keys, *arguments)
