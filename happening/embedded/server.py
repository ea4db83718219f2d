"""What the two servers have in common: start, wait until it answers, stop, and never run twice.

The lock file's descriptor is inherited by the server and its children, so the lock is free exactly
when the last of them has ended. A new server waits for that, also after everything was killed.
"""

import logging
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import ClassVar

from . import child, locks
from .errors import ServersUnavailable
from .place import Place

logger = logging.getLogger(__name__)

LOG_LIMIT = 5_000_000  # bytes; a longer log begins anew
LOOK_AGAIN = 0.01


class Server:
    """One server of a place. Subclasses say how to prepare it, the command, and when it answers."""

    name: ClassVar[str]
    stop_signal: ClassVar[signal.Signals]
    start_seconds = 60.0
    stop_seconds = 20.0

    def __init__(self, place: Place) -> None:
        self.place = place
        self.process: subprocess.Popen | None = None

    @property
    def data(self) -> Path:
        return self.place.servers / self.name

    @property
    def lock_file(self) -> Path:
        """Locked while any process of this server lives. It names the last one that was started."""
        return self.place.servers / f"{self.name}.lock"

    def start(self) -> None:
        """Start and wait until it answers. Raises ServersUnavailable with the log's last lines."""
        lock = locks.take(self.lock_file, wait=self.start_seconds)
        if lock is None:
            raise ServersUnavailable(
                f"Process {self.lock_file.read_text().strip()} still uses {self.data}. End it, and try again."
            )
        try:
            self.prepare()
            self.process = self._spawn(lock)
            self.lock_file.write_text(f"{self.process.pid}\n")
        finally:
            os.close(lock)  # the server's copy holds it from here
        self._await_answer()

    def stop(self) -> None:
        """Ask it to end, insist after a while, and return when it has ended."""
        if self.process is None:
            return
        for number, patience in ((self.stop_signal, self.stop_seconds), (signal.SIGKILL, None)):
            if self.process.poll() is None:
                self.process.send_signal(number)
            try:
                self.process.wait(patience)
                break
            except subprocess.TimeoutExpired:
                logger.warning("%s does not end on %s", self.name, number.name)
        child.forget(self.process)
        self.process = None

    @property
    def has_ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def _spawn(self, lock: int) -> subprocess.Popen:
        log = self.place.log(self.name)
        if log.exists() and log.stat().st_size > LOG_LIMIT:
            log.unlink()
        settings = self.settings()
        with open(log, "ab") as output:
            process = child.spawn(
                self.command(),
                death_signal=self.stop_signal,
                account=self.place.account,
                env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
                cwd="/",
                stdin=subprocess.PIPE if settings else subprocess.DEVNULL,
                stdout=output,
                pass_fds=(lock,),
            )
        if settings:
            process.stdin.write(settings.encode())
            process.stdin.close()
        return process

    def _await_answer(self) -> None:
        deadline = time.monotonic() + self.start_seconds
        while not self.answers():
            if self.has_ended or time.monotonic() > deadline:
                self.stop()
                raise ServersUnavailable(f"{self.name} did not start:\n{self.last_words()}")
            time.sleep(LOOK_AGAIN)

    def last_words(self) -> str:
        lines = self.place.log(self.name).read_text(errors="replace").splitlines()
        return "\n".join(f"    {line}" for line in lines[-8:])

    def prepare(self) -> None:
        """Make the data directory fit for a start. Called with the lock held: nothing of ours runs on it."""
        raise NotImplementedError

    def command(self) -> list[str]:
        raise NotImplementedError

    def settings(self) -> str | None:
        """What the server reads from its standard input, where `ps` cannot see it."""
        return None

    def answers(self) -> bool:
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        """The variables by which Happening's settings find this server."""
        raise NotImplementedError
