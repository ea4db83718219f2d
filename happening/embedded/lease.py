"""A user's side of the keeper: join it, starting it where none runs, and leave it.

Starters take turns by a lock, so two of them never start two keepers. The starter opens the keeper's
socket itself and connects before the keeper exists, so nobody polls, and a keeper never starts alone.
"""

import os
import select
import socket
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path

from . import locks, messages
from .errors import ServersUnavailable
from .place import Place

START_SECONDS = 120
STOP_SECONDS = 30
ATTEMPTS = 5
CHECKOUT = Path(__file__).resolve().parent.parent.parent

_started: list[subprocess.Popen] = []  # so that one which was killed is reaped; nothing here waits for them


class Lease:
    """Keeps the servers running until `close`, or until this process ends."""

    def __init__(
        self, connection: socket.socket, needs: Collection[str], environment: dict[str, str]
    ) -> None:
        self.connection = connection
        self.needs = needs
        self.environment = environment

    def close(self) -> None:
        """Leave; returns when the servers have stopped, if this was their last user."""
        try:
            self.connection.settimeout(STOP_SECONDS)
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.recv(1)
        except OSError:  # the keeper has gone before us, and its servers with it
            return
        finally:
            self.connection.close()

    def has_ended(self) -> bool:
        """Whether the keeper has gone; it never speaks first, so what can be read is the end."""
        return bool(select.select([self.connection], [], [], 0)[0])


def join(place: Place, needs: Collection[str]) -> Lease:
    """A lease on the place's servers named in `needs`; raises ServersUnavailable."""
    for _ in range(ATTEMPTS):
        connection = _connect(place.open())
        connection.settimeout(START_SECONDS)
        try:
            messages.send(connection, {"needs": list(needs)})
            answer = messages.receive(connection)
        except OSError:
            answer = None
        if answer is None:  # it ended as we came
            connection.close()
            continue
        connection.settimeout(None)
        if "error" in answer:
            connection.close()
            raise ServersUnavailable(answer["error"])
        return Lease(connection, needs, answer["environment"])
    raise ServersUnavailable(f"The servers did not start. The reason is in {place.log('keeper')}.")


def _connect(place: Place) -> socket.socket:
    with locks.held(place.starting, wait=START_SECONDS):
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(str(place.control))
        except (FileNotFoundError, ConnectionRefusedError):
            place.secrets  # noqa: B018 - made here, under the lock
            with socket.socket(socket.AF_UNIX) as listener:
                place.control.unlink(missing_ok=True)  # left by a keeper that was killed
                listener.bind(str(place.control))
                place.control.chmod(0o600)
                listener.listen(64)
                connection.connect(str(place.control))
                _start_keeper(place, listener)
    return connection


def _start_keeper(place: Place, listener: socket.socket) -> None:
    """In a session of its own: Ctrl-C in the user's terminal is not meant for it."""
    with open(place.log("keeper"), "ab") as log:
        keeper = subprocess.Popen(
            [
                *(sys.executable, "-m", "happening.embedded.keeper", place.data.resolve()),
                *("durable" if place.durable else "throwaway", str(listener.fileno())),
            ],
            cwd=CHECKOUT,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(listener.fileno(),),
            start_new_session=True,
        )
    _started[:] = [earlier for earlier in _started if earlier.poll() is None] + [keeper]
