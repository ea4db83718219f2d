"""A connection to Redis for each thread that asks it on every request.

A pool lends its connections under a lock, looks at the socket before each loan and keeps figures of them:
for a question that Redis answers in microseconds that costs more than the question. Here a thread keeps the
connection it has, and what a pool would have found out before is found out by asking.
"""

import os
import threading

from redis import Connection, ConnectionPool
from redis.exceptions import ConnectionError as ConnectionLost


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
        connection = self._opened()
        try:
            return _answer(connection, command)
        except ConnectionLost:
            return _answer(connection, command)

    def _opened(self) -> Connection:
        if self._connection is None or self._process != os.getpid():  # a forked child makes its own
            self._connection = self._pool.connection_class(**self._pool.connection_kwargs)
            self._process = os.getpid()
        return self._connection


def _answer(connection: Connection, command: tuple) -> object:
    connection.send_command(*command)  # which connects where that is needed, and hangs up where it fails
    return connection.read_response()
