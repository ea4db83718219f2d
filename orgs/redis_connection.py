"""A connection to Redis for each thread that asks it on every request.

A pool lends its connections under a lock, looks at the socket before each loan and keeps figures of them:
for a question that Redis answers in microseconds that costs more than the question. Here a thread keeps the
connection it has, and what a pool would have found out before is found out by asking.

It is the kernel that loses patience, not Python, which would poll before it sends and before it reads: among
thirty threads each of those calls lets another one in and waits for its turn again.

Patience is two waits for an answer, of half the time each (one wait behind TLS). Where the whole machine was
held up, time has gone by in which Redis could not have answered either, and the first wait may end with
nothing to hold against it.
"""

import os
import socket
import ssl
import struct
import threading
from collections.abc import Callable

from redis import Connection, ConnectionPool
from redis.exceptions import ConnectionError as ConnectionLost
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as TookTooLong


class OwnConnection(threading.local):
    """This thread's connection to the Redis of `pool`, made as the pool would make it.

    Args:
        era: says something else once the connections that threads have are not to be trusted any more.
    """

    def __init__(self, pool: ConnectionPool, *, era: Callable[[], object] = lambda: None) -> None:
        self._pool, self._era = pool, era
        self._connection: Connection | None = None
        self._process = 0
        self._made_in: object = None
        self._is_sent = False

    def ask(self, *command: str | int, once: bool = False) -> object:
        """What Redis answers. A connection that has ended is made anew, once: a new server, an old socket.

        Args:
            once: not to be sent again where Redis may have done it. What could not be sent whole, it has not.

        Raises:
            RedisError
        """
        try:
            return self._answer(command)
        except ConnectionLost:
            if once and self._is_sent:
                raise
            return self._answer(command)

    def _answer(self, command: tuple[str | int, ...]) -> object:
        self._is_sent = False
        connection = self._opened()
        try:
            connection.send_command(*command)  # which hangs up where it fails
            self._is_sent = True
            return _read(connection)
        except ConnectionLost as error:
            if _was_late(error):
                raise TookTooLong("Redis did not answer in time.") from error
            raise

    def _opened(self) -> Connection:
        era = self._era()
        if self._connection is None or self._process != os.getpid():  # a forked child makes its own
            self._connection = self._pool.connection_class(**self._pool.connection_kwargs)
            self._process = os.getpid()
        elif era != self._made_in:
            self._connection.disconnect()
        if not self._connection.is_connected:
            self._connection.connect()
            self._made_in = era
            _wait_in_the_kernel(self._connection._sock)
        return self._connection


def run_of(connection: Connection) -> str:
    """Which run of its server a connection has reached: a server started anew is another."""
    connection.send_command("INFO", "server")
    said = connection.read_response()
    lines = (said.decode() if isinstance(said, bytes) else str(said)).splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line).get("run_id", "")


def _read(connection: Connection) -> object:
    try:
        return connection.read_response(disconnect_on_error=False)
    except ResponseError:  # an answer
        raise
    except BaseException as error:
        if _was_late(error):
            return connection.read_response()
        connection.disconnect()  # or what it answers yet would be taken for the next answer
        raise


def _was_late(error: BaseException) -> bool:
    return isinstance(error, ConnectionLost) and isinstance(error.__context__, BlockingIOError)


def _wait_in_the_kernel(connected: socket.socket) -> None:
    if isinstance(connected, ssl.SSLSocket):  # one answer may take it two reads
        return
    patience = connected.gettimeout()
    if patience is not None:
        seconds = patience / 2
        limit = struct.pack("ll", int(seconds), int(seconds % 1 * 1_000_000))  # a struct timeval
        connected.settimeout(None)
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
