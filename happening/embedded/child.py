"""A child process that never outlives its parent, not even one that was killed.

On Linux the kernel sends the child a signal when the thread that started it ends, so children are
started from the main thread. The wish is made after the change of user, which would clear it, and
before `exec`, which keeps it. Elsewhere a watchdog process does the same when its pipe closes.
"""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from .account import Account

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def spawn(
    command: Sequence[str],
    *,
    death_signal: signal.Signals,
    account: Account | None = None,
    env: dict[str, str] | None = None,
    cwd: str | None = None,
    stdin: int | IO = subprocess.DEVNULL,
    stdout: int | IO | None = None,
    pass_fds: Sequence[int] = (),
) -> subprocess.Popen:
    """Start `command` in a session of its own; `death_signal` reaches it when this process ends."""
    as_user = account.popen_arguments() if account else {}
    child = subprocess.Popen(
        command,
        env=env,
        cwd=cwd,
        stdin=stdin,
        stdout=stdout,
        stderr=subprocess.STDOUT if stdout is not None else None,
        pass_fds=pass_fds,
        start_new_session=True,
        preexec_fn=_die_with(os.getpid(), death_signal) if _libc else None,
        **as_user,
    )
    if not _libc:
        _watch(child, death_signal)
    return child


def forget(child: subprocess.Popen) -> None:
    """Call when a child has ended."""
    if watchdog := getattr(child, "watchdog", None):
        watchdog.kill()
        watchdog.wait()


def die_with_parent(death_signal: signal.Signals) -> None:
    """The same wish, made by a child itself."""
    if _libc:
        _libc.prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)


def _die_with(parent: int, death_signal: signal.Signals):
    def before_exec() -> None:
        _libc.prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
        if os.getppid() != parent:  # it died before the wish was made
            os._exit(1)

    return before_exec


def _watch(child: subprocess.Popen, death_signal: signal.Signals) -> None:
    program = Path(__file__).with_name("watchdog.py")
    child.watchdog = subprocess.Popen(
        [sys.executable, program, str(child.pid), str(int(death_signal))],
        stdin=subprocess.PIPE,  # closes when this process ends
        start_new_session=True,
    )
