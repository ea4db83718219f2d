"""Happening's own processes as production runs them, each with a log of its own, to be killed one by one."""

import http.client
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from happening.embedded import child
from tests.faults.ports import HOST, free_port
from tests.faults.servers import descendants

READY_SECONDS = 60.0
THREADS = 32


class Program:
    """One process and what it has started."""

    def __init__(
        self, name: str, *words: str, log: Path, env: dict[str, str], end_signal=signal.SIGTERM
    ) -> None:
        self.name, self.log, self.words = name, log, words
        self.env, self.end_signal = env, end_signal
        self.process: subprocess.Popen | None = None

    def start(self, **env: str) -> "Program":
        """Start it, with `env` on top of its environment this time."""
        with open(self.log, "ab") as output:
            self.process = child.spawn(
                [sys.executable, *self.words],
                death_signal=self.end_signal,
                env=os.environ | self.env | env | {"PYTHONUNBUFFERED": "1"},
                stdout=output,
            )
        return self

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def pids(self) -> list[int]:
        """Its own, then its descendants'."""
        return [self.process.pid, *descendants(self.process.pid)]

    def kill(self) -> None:
        """`kill -9` of it and all that it has started."""
        if self.process is None:
            return
        for pid in self.pids if self.is_running else []:
            _signal(pid, signal.SIGKILL)
        self._bury()

    def kill_child(self) -> None:
        """`kill -9` of the first process that it has started, and not of itself."""
        os.kill(next(descendants(self.process.pid)), signal.SIGKILL)

    def stall(self) -> None:
        for pid in self.pids:
            _signal(pid, signal.SIGSTOP)

    def resume(self) -> None:
        for pid in self.pids:
            _signal(pid, signal.SIGCONT)

    def stop(self, seconds: float = 20.0) -> None:
        """Ask it to end; insist after `seconds`."""
        if self.is_running:
            self.process.terminate()
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()
        if self.process is not None:
            self._bury()

    def wait_for_end(self, seconds: float) -> int:
        """Its exit code; subprocess.TimeoutExpired if it does not end."""
        code = self.process.wait(seconds)
        self._bury()
        return code

    def last_words(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])

    def _bury(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)  # what it left behind
        self.process.wait()
        child.forget(self.process)
        self.process = None


class Web(Program):
    """A server of pages: a master and one worker with threads, as one of the two in production."""

    def __init__(self, name: str, *, log: Path, env: dict[str, str], threads: int = THREADS) -> None:
        self.port = free_port()
        super().__init__(
            name,
            *("-m", "granian", "happening.wsgi:application", "--interface", "wsgi"),
            *("--host", HOST, "--port", str(self.port)),
            *("--workers", "1", "--blocking-threads", str(threads), "--log-level", "error"),
            log=log,
            env=env,
        )

    @property
    def address(self) -> tuple[str, int]:
        return HOST, self.port

    def start(self, **env: str) -> "Web":
        super().start(**env)
        deadline = time.monotonic() + READY_SECONDS
        while not self._answers():
            if not self.is_running or time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} does not serve:\n{self.last_words()}")
            time.sleep(0.05)
        return self

    def wait_until_killed(self, seconds: float) -> None:
        """Until the worker has come to its crash point; what is left of the server is ended.

        Raises:
            TimeoutError: it lives.
        """
        deadline = time.monotonic() + seconds
        while self.is_running and list(descendants(self.process.pid)) and self._answers():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.name} never came to where it was to end")
            time.sleep(0.1)
        self.kill()

    def get(self, path: str) -> int | None:
        """The status of a page that anybody may see; None where nothing comes."""
        connection = http.client.HTTPConnection(*self.address, timeout=5)
        try:
            connection.request("GET", path, headers={"Host": "localhost"})
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def _answers(self) -> bool:
        return self.get("/healthz") == 200


class Site:
    """All processes of one test; `stop` ends whatever still runs.

    Args:
        logs: directory for a log each.
        env: what they get on top of this run's environment.
    """

    def __init__(self, logs: Path, env: dict[str, str]) -> None:
        self.logs, self.env = logs, env
        self.programs: list[Program] = []

    def web(self, name: str = "web", *, threads: int = THREADS, **env: str) -> Web:
        """A started web process; `HAPPENING_CRASH_AT="book:locked:3"` ends it there the third time."""
        return self._add(Web(name, log=self._log(name), env=self.env, threads=threads)).start(**env)

    def worker(self, **env: str) -> Program:
        words = "-W ignore::UserWarning:celery.platforms -m celery --app happening --quiet worker"
        more = "--concurrency 2 --without-mingle --without-gossip --hostname faults@%h"
        return self._add(self._program("worker", *words.split(), *more.split())).start(**env)

    def beat(self, **env: str) -> Program:
        schedule = self.logs / "beat-schedule"
        words = ("-m", "celery", "--app", "happening", "--quiet", "beat", "--pidfile=", "--schedule")
        return self._add(self._program("beat", *words, str(schedule))).start(**env)

    def command(self, name: str, *words: str, **env: str) -> Program:
        """`manage.py NAME`, for example one that does not end by itself."""
        return self._add(self._program(name, "manage.py", name, *words)).start(**env)

    def sender(self, **env: str) -> Program:
        return self.command("deliver_notifications", **env)

    def stop(self) -> None:
        for program in reversed(self.programs):
            program.kill()

    def _program(self, name: str, *words: str) -> Program:
        ends = signal.SIGQUIT if name == "worker" else signal.SIGTERM
        return Program(name, *words, log=self._log(name), env=self.env, end_signal=ends)

    def _log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def _add(self, program):
        self.programs.append(program)
        return program


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # ended meanwhile
        os.kill(pid, number)
