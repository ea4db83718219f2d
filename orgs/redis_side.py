"""A database of Redis as the project's own scripts meet it: quick, or done without (`orgs.breaker`)."""

import hashlib
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as ConnectionLost
from redis.retry import Retry

from orgs.breaker import Breaker
from orgs.redis_connection import OwnConnection


class Script:
    """A Lua script, sent whole once and named by its digest from then on; `once`: it must not run again where
    it may have run already, and only the answer was lost."""

    def __init__(self, path: Path, *, once: bool = False):
        self.text, self.once = path.read_text(), once

    @cached_property
    def digest(self) -> str:
        return hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()


class RedisSide:
    """One logical database of Redis, behind a breaker.

    Args:
        purpose: a key of `settings.REDIS_DATABASES`.
        makes_good: called with the client when Redis is back after a failure, before anybody believes it.
        greets: the first words on each new connection, before anything is asked.
        looks_by_itself: see `Breaker`.
    """

    def __init__(
        self,
        purpose: str,
        *,
        makes_good: Callable[[redis.Redis], object] = redis.Redis.ping,
        greets: Callable[[redis.Connection], None] | None = None,
        looks_by_itself: bool = False,
    ):
        self._purpose, self._greets = purpose, greets
        self.breaker = Breaker(
            purpose, makes_good=lambda: makes_good(self.client), looks_by_itself=looks_by_itself
        )

    @cached_property
    def client(self) -> redis.Redis:
        return redis.Redis.from_url(
            settings.REDIS_URLS[self._purpose],
            socket_timeout=settings.REDIS_TIMEOUT,
            socket_connect_timeout=settings.REDIS_TIMEOUT,
            retry=Retry(NoBackoff(), 1, supported_errors=(ConnectionLost,)),  # a new server, an old socket
            redis_connect_func=self._greet if self._greets else None,
        )

    @cached_property
    def _own(self) -> OwnConnection:
        """After a failure every thread makes its connection anew: what ended one has likely ended all."""
        return OwnConnection(self.client.connection_pool, era=lambda: self.breaker.failures)

    def _greet(self, connection: redis.Connection) -> None:
        connection.on_connect()
        self._greets(connection)

    def run(self, script: Script, keys: list[str], arguments: list, **how) -> object:
        """What the script answers; `how` as for `Breaker.ask`.

        Raises:
            Away
        """
        return self.breaker.ask(lambda: _evaluate(self._own, script, keys, arguments), **how)

    def call(self, ask: Callable[[redis.Redis], object]) -> object:
        """What `ask(client)` answers.

        Raises:
            Away
        """
        return self.breaker.ask(lambda: ask(self.client))


def _evaluate(own: OwnConnection, script: Script, keys: list[str], arguments: list) -> object:
    try:
        return own.ask("EVALSHA", script.digest, len(keys), *keys, *arguments, once=script.once)
    except redis.exceptions.NoScriptError:
        return own.ask("EVAL", script.text, len(keys), *keys, *arguments, once=script.once)
