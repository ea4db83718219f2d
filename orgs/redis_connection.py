"""A connection to Redis for each thread that asks it on every request.

A pool lends its connections under a lock, looks at the socket before each loan and keeps figures of them:
for a question that Redis answers in microseconds that costs more than the question. Here a thread keeps the
connection it has, and what a pool would have found out before is found out by asking.

It is the kernel that loses patience, not Python, which would poll before it sends and before it reads: among
thirty threads each of those calls lets another one in and waits for its turn again.
"""

import os
import socket
import ssl
import struct
import threading

from redis import Connection, ConnectionPool
from redis.exceptions import ConnectionError as ConnectionLost
from redis.exceptions import TimeoutError as TookTooLong


class OwnConnection(threading.local):
    """This thread's connection to the Redis of `pool`, made as the pool would make it."""

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool
        self._connection: Connection | None = None
        self._process = 0

    def ask(self, *command: str | int) -> object:
        """What Redis answers. A connection that has ended is made anew, once: a new server, an old socket.

        Raises:
            RedisError
        """
        try:
            return self._answer(command)
        except ConnectionLost as error:
            if isinstance(error.__context__, BlockingIOError):
                raise TookTooLong("Redis did not answer in time.") from error
            return self._answer(command)

    def _answer(self, command: tuple[str | int, ...]) -> object:
        connection = self._opened()
        connection.send_command(*command)  # which hangs up where it fails, as reading does
        return connection.read_response()

    def _opened(self) -> Connection:
        if self._connection is None or self._process != os.getpid():  # a forked child makes its own
            self._connection = self._pool.connection_class(**self._pool.connection_kwargs)
            self._process = os.getpid()
        if not self._connection.is_connected:
            self._connection.connect()
            _wait_in_the_kernel(self._connection._sock)
        return self._connection


def _wait_in_the_kernel(connected: socket.socket) -> None:
    if isinstance(connected, ssl.SSLSocket):  # one answer may take it two reads
        return
    seconds = connected.gettimeout()
    if seconds is not None:
        patience = struct.pack("ll", int(seconds), int(seconds % 1 * 1_000_000))  # a struct timeval
        connected.settimeout(None)
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, patience)
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, patience)
