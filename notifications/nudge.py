"""Saying "there is work" to the relay, once a transaction that owes messages has committed.

Whoever commits only sets a flag, which takes a microsecond and cannot fail. A thread of the process's own
sees it and sends the Celery task, then rests: so a process nudges at most ten times a second, however many
commit, and a broker that is slow, full or gone holds up this thread and nobody else. A nudge that is lost
costs seconds: the timetable drains as well. One that finds no worker is worth nothing soon and expires.
"""

import logging
import os
import threading
import time

from celery import current_app
from django.conf import settings

REST = 0.1  # seconds between two nudges of a process
REST_AFTER_TROUBLE = 5.0
EXPIRES = 10  # seconds; by then the timetable has drained

logger = logging.getLogger(__name__)


class Nudge:
    def __init__(self, send) -> None:
        self.send = send
        self._wanted = threading.Event()
        self._starting = threading.Lock()
        self._pid = 0

    def __call__(self) -> None:
        """Let the relay know, soon."""
        if self._pid != os.getpid():  # a thread does not come along through a fork
            self._start()
        self._wanted.set()

    def _start(self) -> None:
        with self._starting:
            if self._pid != os.getpid():
                self._wanted = threading.Event()
                threading.Thread(target=self._run, name="outbox nudge", daemon=True).start()
                self._pid = os.getpid()

    def _run(self) -> None:
        wanted = self._wanted
        while True:
            wanted.wait()
            wanted.clear()
            try:
                self.send()
            except Exception as error:  # whatever a broker can throw: the timetable makes up for it
                logger.warning("The relay could not be nudged: %s", error)
                time.sleep(REST_AFTER_TROUBLE)
            time.sleep(REST)


def _send() -> None:
    current_app.send_task(
        "notifications.drain_outbox",
        retry=False,
        ignore_result=True,
        expires=EXPIRES,
        confirm_timeout=EXPIRES,
    )


nudge = Nudge(_send)


def soon() -> None:
    """Nudge the relay; where nudges are switched off (tests) nothing happens."""
    if settings.OUTBOX_NUDGES:
        nudge()
