"""What lies between two machines: a port that leads to another, until it is cut or swallows everything."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.faults.ports import HOST, free_port


class Wire:
    """`port` leads to `to`."""

    def __init__(self, to: int) -> None:
        self.to, self.port = to, free_port()
        self._calls: list[Call] = []
        self._is_cut = self._is_silent = False

    def start(self) -> None:
        self._door = socket.create_server((HOST, self.port))
        threading.Thread(target=self._take_calls, daemon=True).start()

    def stop(self) -> None:
        self._door.shutdown(socket.SHUT_RDWR)  # which ends the waiting for a call
        self._door.close()
        self._end_calls()

    @contextmanager
    def cut(self) -> Iterator[None]:
        """Every connection ends, and a new one ends at once."""
        self._is_cut = True
        self._end_calls()
        try:
            yield
        finally:
            self._is_cut = False

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Nothing arrives, and nobody hears that. Connections of before and meanwhile stay so for ever."""
        self._is_silent = True
        for call in self._calls:
            call.is_silent = True
        try:
            yield
        finally:
            self._is_silent = False

    def _take_calls(self) -> None:
        with suppress(OSError):  # the door is closed
            while True:
                near, _ = self._door.accept()
                if self._is_cut:
                    near.close()
                    continue
                self._calls.append(Call(near, socket.create_connection((HOST, self.to)), self._is_silent))

    def _end_calls(self) -> None:
        calls, self._calls = self._calls, []
        for call in calls:
            call.end()


class Call:
    """A connection through the wire. Who is silent takes what comes and passes nothing on."""

    def __init__(self, near: socket.socket, far: socket.socket, is_silent: bool) -> None:
        self.ends, self.is_silent = (near, far), is_silent
        for one, other in ((near, far), (far, near)):
            threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    def end(self) -> None:
        for one in self.ends:
            with suppress(OSError):  # it has ended already
                one.shutdown(socket.SHUT_RDWR)

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):  # the other end has gone
            while data := one.recv(65_536):
                if not self.is_silent:
                    other.sendall(data)
        if not self.is_silent:
            self.end()
