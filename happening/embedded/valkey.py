"""Valkey (or Redis) on a private socket, with a password.

Where Celery has no RabbitMQ its tasks wait here, so a durable place writes every command to an
append-only file before it answers: a killed server loses nothing, a power cut at most a second.
"""

import signal
from functools import cached_property
from pathlib import Path

import redis

from . import binaries
from .server import Server


class Valkey(Server):
    name = "valkey"
    stop_signal = signal.SIGTERM

    @cached_property
    def program(self) -> Path:
        return binaries.valkey(account=self.place.account)

    @property
    def socket(self) -> Path:
        return self.place.sockets / "valkey.sock"

    def prepare(self) -> None:
        self.place.make(self.data)
        self.socket.unlink(missing_ok=True)

    def command(self) -> list[str]:
        return [str(self.program), "-"]

    def settings(self) -> str:
        return (
            "port 0\n"
            f'unixsocket "{self.socket}"\n'
            "unixsocketperm 700\n"
            f"requirepass {self.place.secrets['valkey']}\n"
            f'dir "{self.data}"\n'
            'save ""\n'
            f"appendonly {'yes' if self.place.durable else 'no'}\n"
            "appendfsync everysec\n"
            "maxmemory-policy noeviction\n"
            "daemonize no\n"
        )

    def answers(self) -> bool:
        client = redis.Redis(
            unix_socket_path=str(self.socket),
            password=self.place.secrets["valkey"],
            socket_timeout=5,
            retry=None,  # asked again soon enough, without the library's growing pauses
        )
        try:
            return client.ping()
        except (redis.ConnectionError, redis.TimeoutError):  # not listening yet, or reading its file
            return False
        finally:
            client.close()

    def environment(self) -> dict[str, str]:
        return {"REDIS_URL": f"unix://:{self.place.secrets['valkey']}@{self.socket}"}
