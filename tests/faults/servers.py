"""The run's own servers, with the faults that can be done to them.

They are children of the test run and not of a keeper, which would start again at once what a test has killed.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
from django.db import connection

from happening.embedded import child
from happening.embedded.postgres import DATABASE, Postgres
from happening.embedded.server import Server
from happening.embedded.valkey import Valkey
from tests.faults.rabbitmq import Rabbit


class Faulty(Server):
    """A server that can be killed, stalled and gone."""

    def kill(self) -> None:
        """`kill -9`, of all its processes."""
        for pid in self._processes():
            os.kill(pid, signal.SIGKILL)
        self._bury()

    @contextmanager
    def stalled(self) -> Iterator[None]:
        """It keeps its connections and answers nothing."""
        processes = self._processes()
        for pid in processes:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in processes:
                os.kill(pid, signal.SIGCONT)

    @contextmanager
    def gone(self) -> Iterator[None]:
        """It is stopped, and whoever connects is refused."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    def restart(self) -> None:
        self.stop()
        self.start()

    def _processes(self) -> list[int]:
        return [self.process.pid, *descendants(self.process.pid)]

    def _bury(self) -> None:
        self.process.wait()
        child.forget(self.process)
        self.process = None


class FaultyPostgres(Faulty, Postgres):
    max_connections = 150

    def command(self) -> list[str]:
        return [*super().command(), "-c", f"max_connections={self.max_connections}"]

    def stop(self) -> None:
        connection.close()  # the test's own
        super().stop()

    def forget(self) -> None:
        """Make the database anew: an earlier run may have left another schema."""
        with self._connect("postgres") as server:
            server.execute(f'DROP DATABASE IF EXISTS "{DATABASE}" WITH (FORCE)')
            self._ensure_database(server)

    def restart_immediately(self) -> None:
        """What `pg_ctl -m immediate restart` does: every session is cut, and the log is replayed."""
        connection.close()
        self.process.send_signal(signal.SIGQUIT)
        self._bury()
        self.start()


class FaultyValkey(Faulty, Valkey):
    def client(self, purpose: str) -> redis.Redis:
        """A connection to the database kept for `purpose`, a key of REDIS_DATABASES."""
        from happening.settings import redis_url  # Django's settings hold no functions

        return redis.Redis.from_url(redis_url(purpose), socket_timeout=5, decode_responses=True)

    def get(self, key: str) -> str | None:
        """Of what the seats' counters say."""
        with self.client("seats") as client:
            return client.get(key)

    def set(self, key: str, value: object) -> None:
        with self.client("seats") as client:
            client.set(key, value)

    def wipe(self) -> None:
        with self.client("seats") as client:
            client.flushall()


class FaultyRabbit(Faulty, Rabbit):
    pass


def descendants(pid: int) -> Iterator[int]:
    """The processes below one, from what the kernel says now."""
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(entry.read_text().rpartition(")")[2].split()[1])
        except (OSError, IndexError):  # ended meanwhile
            continue
        if parent == pid:
            found = int(entry.parent.name)
            yield found
            yield from descendants(found)
