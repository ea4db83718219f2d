"""Asking Celery to look at a table now, rather than when the timetable says so.

Only for speed: what is owed stands in the table, and beat asks as well. So whoever nudges never waits and
never fails: a thread of the process speaks to the broker, at most four times a second however many ask, at
most one nudge of each task is under way, and one that is lost costs the seconds until the timetable's next
turn. Asking takes a microsecond, so that a booking can afford it.
"""

import logging
import os
import threading
import time

from celery import Celery, current_app
from django.conf import settings

STALE = 60  # seconds after which a nudge that nobody took is no news any more
PATIENCE = 5  # seconds for a broker to confirm
REST = 0.25  # seconds between two rounds of nudges

logger = logging.getLogger(__name__)


def nudge(task: str) -> None:
    """Have the task of this name run soon, if anybody is there to run it. Use after a commit."""
    if settings.NUDGES:
        _herald.ask(task)


class Herald:
    def __init__(self, app: Celery) -> None:
        self._app = app
        self._wanted: set[str] = set()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def ask(self, task: str) -> None:
        if task in self._wanted:
            return
        with self._changed:
            self._wanted.add(task)
            self._changed.notify()
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._speak, name="nudge", daemon=True)
                self._thread.start()

    def _speak(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._wanted)
                task = self._wanted.pop()
            try:
                self._app.send_task(
                    task,
                    ignore_result=True,
                    expires=STALE,
                    expiration=STALE,  # the broker itself drops it where no worker runs
                    confirm_timeout=PATIENCE,
                    retry_policy={"max_retries": 1, "interval_start": 0},
                )
            except Exception as error:  # whatever a broker can throw: the timetable will ask
                logger.warning("The broker could not be asked for %s now: %s", task, error)
            time.sleep(REST)


def _begin() -> None:
    """A child of this process has no thread, and must not inherit a held lock."""
    global _herald
    _herald = Herald(current_app)


_begin()
os.register_at_fork(after_in_child=_begin)
