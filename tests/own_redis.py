"""A Redis that one test may stop, pause and start again, without touching the one under all others."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import redis

from happening.embedded import binaries
from happening.embedded.child import spawn

SECONDS = 10


class OwnRedis:
    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._process: subprocess.Popen | None = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}"
        self.client = redis.Redis.from_url(self.url, decode_responses=True, retry=None)

    def start(self) -> None:
        program = binaries.valkey(account=None)
        words = ["--port", self.port, "--dir", self._directory, "--save", "", "--bind", "127.0.0.1"]
        self._process = spawn(
            [str(program), *map(str, words)], death_signal=signal.SIGKILL, stdout=subprocess.DEVNULL
        )
        deadline = time.monotonic() + SECONDS
        while not self._answers():
            assert time.monotonic() < deadline, "Redis did not start."
            time.sleep(0.01)

    def stop(self) -> None:
        """As a crash would: what it had not written is lost."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def pause(self) -> None:
        """Takes connections, and answers nobody."""
        os.kill(self._process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self._process.pid, signal.SIGCONT)

    def _answers(self) -> bool:
        try:
            return self.client.ping()
        except redis.RedisError:
            return False
