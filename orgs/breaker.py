"""Patience with Redis: who asks one that does not answer waits once, not at every request.

After a failure a process leaves Redis alone for a moment; then one caller asks again while the others still
go without, and its answer decides for all. What was missed meanwhile is made good by the caller who finds
Redis back (`makes_good`), before anything that Redis says is believed; and once more where others had to go
without it meanwhile.
"""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from redis import RedisError
from redis import TimeoutError as TookTooLong

from orgs.counting import Counter, Gauge

REST = 1.0  # seconds
Answer = TypeVar("Answer")
logger = logging.getLogger(__name__)
FAILURES = Counter("happening_redis_failures_total", "Redis failed somebody who asked it.", ["redis"])
OPEN = Gauge(
    "happening_redis_breaker_open",
    "Processes that do without Redis at this moment.",
    ["redis"],
    multiprocess_mode="livesum",
)


class Away(Exception):
    """Redis does not answer, or did not a moment ago."""


class Breaker:
    """Guards one Redis for one process; `makes_good` runs when it is back after a failure.

    `failures` counts: who sees it grow knows that what Redis was told before may be lost.

    Args:
        looks_by_itself: a thread asks until Redis is back, so that what was missed is made good soon even
            where nobody comes to ask.
    """

    def __init__(
        self, name: str, *, makes_good: Callable[[], object] = lambda: None, looks_by_itself: bool = False
    ) -> None:
        self.name = name
        self._makes_good = makes_good
        self._looks_by_itself = looks_by_itself
        self._lock = threading.Lock()
        self._is_away = False
        self._asks_again_at = 0.0
        self._missed = 0  # questions that would have told it something
        self._looker: threading.Thread | None = None
        self.failures = 0
        self._failures_counted, self._open = FAILURES.labels(name), OPEN.labels(name)

    def ask(
        self,
        command: Callable[[], Answer],
        *,
        misses: Callable[[], object] = lambda: None,
        looks_only: bool = False,
    ) -> Answer:
        """What `command` returns.

        Args:
            misses: called where Redis does not hear of it, to remember that for `makes_good`, which looks
                after it was called. It is quick and asks nobody.
            looks_only: it leaves nothing behind that must be made good, so that a late answer is no failure;
                whether Redis is away the next will find out who has something to tell.

        Raises:
            Away: it failed, or Redis is being left alone.
        """
        if self._is_away:
            self._ask_again(misses, looks_only)
        try:
            return command()
        except RedisError as error:
            if not (looks_only and isinstance(error, TookTooLong)):
                self._failed(error, misses)
            raise Away from error

    def _ask_again(self, misses: Callable[[], object], looks_only: bool) -> None:
        with self._lock:
            if not self._is_away:  # another has just found it back
                return
            if time.monotonic() < self._asks_again_at:
                self._missed += not looks_only
                misses()
                raise Away
            self._asks_again_at = time.monotonic() + REST
            missed = self._missed
        try:
            self._makes_good()
            with self._lock:
                was_away, self._is_away = self._is_away, False
                self._open.set(0)
                others_missed_something = self._missed > missed
            if others_missed_something:
                self._makes_good()
        except RedisError as error:
            self._failed(error, misses)
            raise Away from error
        if was_away:
            logger.warning("Redis for %s answers again.", self.name)

    def _failed(self, error: RedisError, misses: Callable[[], object]) -> None:
        with self._lock:
            self._asks_again_at = time.monotonic() + REST
            was_away, self._is_away = self._is_away, True
            self._open.set(1)
            self._missed += 1
            self.failures += 1
            misses()
        self._failures_counted.inc()
        if not was_away:
            logger.warning("Redis for %s does not answer: %s", self.name, type(error).__name__)
        if self._looks_by_itself and not (was_away and self._looker and self._looker.is_alive()):
            self._looker = threading.Thread(target=self._look, name=f"redis for {self.name}", daemon=True)
            with suppress(RuntimeError):  # there is no thread to be had: the next failure tries again
                self._looker.start()

    def _look(self) -> None:
        while self._is_away:
            time.sleep(REST)
            with suppress(Away):
                self.ask(lambda: None)
