"""The processes of `make run`: started together, read line by line, ended together.

Each has a session of its own, so that Ctrl-C reaches only `make run`, which ends them in good order, and
so that what a process leaves behind can be found by its group. The kernel ends them when `make run` is
killed (`child`). One that ends by itself is started again, unless it had hardly begun.
"""

import os
import selectors
import signal
import subprocess
import time
from dataclasses import dataclass

from . import child
from .programs import Program
from .terminal import Terminal

HARDLY_BEGUN = 5.0  # seconds; who ends sooner has a fault that another start would not mend
PATIENCE = 10.0  # seconds between asking to end and insisting


class EndedTooSoon(Exception):
    """A process ended as soon as it was started. The message names it."""


@dataclass
class Running:
    program: Program
    process: subprocess.Popen
    since: float
    unfinished: bytes = b""


class Processes:
    def __init__(self, terminal: Terminal, *, lock: int) -> None:
        self.terminal = terminal
        self.lock = lock  # inherited by all, so that the next run can wait for the last of them
        self.running: list[Running] = []
        self.selector = selectors.DefaultSelector()

    def start(self, program: Program) -> Running:
        process = child.spawn(
            program.command,
            death_signal=program.end_signal,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            pass_fds=(self.lock,),
        )
        os.set_blocking(process.stdout.fileno(), False)
        running = Running(program, process, since=time.monotonic())
        self.selector.register(process.stdout, selectors.EVENT_READ, running)
        self.running.append(running)
        return running

    def step(self, seconds: float) -> None:
        """Relay what the processes say for at most `seconds`, and start again those that ended."""
        self._relay(seconds)
        for running in self._ended():
            self._bury(running)
            if time.monotonic() - running.since < HARDLY_BEGUN:
                raise EndedTooSoon(f"{running.program.name} ended as soon as it had begun{_how(running)}.")
            self.terminal.relay(running.program.name, f"ended{_how(running)}; starting it again")
            self.start(running.program)

    def finish(self, program: Program, *, or_when) -> int | None:
        """Run one to its end and return its exit code; None if `or_when()` came true before."""
        running = self.start(program)
        while running not in self._ended():
            if or_when():
                return None
            self._relay(0.2)
        self._bury(running)
        return running.process.returncode

    def stop(self, *, in_a_hurry) -> None:
        """End all, politely first; `in_a_hurry()` cuts the politeness short."""
        for running in self.running:
            running.process.terminate()
        deadline = time.monotonic() + PATIENCE
        while self.running:
            self._relay(0.1)
            if time.monotonic() > deadline or in_a_hurry():
                for running in self.running:
                    self._kill_group(running)
            for running in self._ended():
                self._bury(running)

    def _relay(self, seconds: float) -> None:
        for key, _ in self.selector.select(seconds):
            self._read(key.data)

    def _read(self, running: Running) -> None:
        try:
            chunk = os.read(running.process.stdout.fileno(), 65536)
        except BlockingIOError:
            return
        if not chunk:
            self.selector.unregister(running.process.stdout)
        *lines, running.unfinished = (running.unfinished + chunk).split(b"\n")
        if not chunk and running.unfinished:
            lines.append(running.unfinished)
        for line in lines:
            self.terminal.relay(running.program.name, line.decode(errors="replace"))

    def _ended(self) -> list[Running]:
        """Those that ended, not yet reaped: until then their number names their group and no other."""
        look = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return [one for one in self.running if os.waitid(os.P_PID, one.process.pid, look)]

    def _bury(self, running: Running) -> None:
        self._kill_group(running)
        self.running.remove(running)
        running.process.wait()
        child.forget(running.process)
        if running.process.stdout in (key.fileobj for key in self.selector.get_map().values()):
            self._read(running)  # its last words
        if running.process.stdout in (key.fileobj for key in self.selector.get_map().values()):
            self.selector.unregister(running.process.stdout)
        running.process.stdout.close()

    def _kill_group(self, running: Running) -> None:
        os.killpg(running.process.pid, signal.SIGKILL)


def _how(running: Running) -> str:
    code = running.process.returncode
    return f" (killed by {signal.Signals(-code).name})" if code < 0 else f" (exit code {code})"
