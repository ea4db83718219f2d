"""The production server with production's settings, and the CPU that it and all that is behind it take."""

import http.client
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from signal import SIGTERM
from urllib.parse import urlsplit

from django.conf import settings
from django.core.cache import caches
from django.db import connection

from benchmarks.background import background, rabbitmq
from happening.embedded import child
from happening.embedded.port import claim

WORKERS, THREADS = 2, 32
HOST = "127.0.0.1"
READY_SECONDS = 60
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Cpu:
    """Seconds of CPU."""

    web: float
    postgres: float
    redis: float
    telling: float = 0.0  # worker, beat, sender and RabbitMQ

    @property
    def total(self) -> float:
        return self.web + self.postgres + self.redis + self.telling

    def __sub__(self, other: "Cpu") -> "Cpu":
        return Cpu(*(mine - theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True)))


class Server:
    def __init__(self, port: int, process: subprocess.Popen, environment: dict[str, str]) -> None:
        self.port, self.process, self.environment = port, process, environment
        self.tellers: list[int] = []
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            backend = cursor.fetchone()[0]
        self.postgres = _parent(backend)
        self.redis = caches["default"].client.get_client().info("server")["process_id"]

    def cpu(self) -> Cpu:
        """What has been used so far, by processes that have ended meanwhile too."""
        return Cpu(
            *(_seconds(pid) for pid in (self.process.pid, self.postgres, self.redis)),
            telling=sum(_seconds(pid) for pid in self.tellers),
        )

    @contextmanager
    def telling_people(self) -> Iterator[None]:
        """With worker, beat and sender; what they and RabbitMQ use is counted."""
        with background(self.environment) as started:
            self.tellers = started + rabbitmq()
            yield
        self.tellers = []


@contextmanager
def serving(database: str, *, mail_port: int) -> Iterator[Server]:
    """The site on `database`, a name on the server that the settings name."""
    environment = os.environ | _production(database) | {"EMAIL_URL": f"smtp://{HOST}:{mail_port}"}
    port = claim()
    subprocess.run(
        [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"],
        env=environment,
        check=True,
    )
    words = (
        f"-m granian happening.wsgi:application --interface wsgi --host {HOST} --port {port} "
        f"--workers {WORKERS} --blocking-threads {THREADS} --log-level error"
    )
    process = child.spawn([sys.executable, *words.split()], death_signal=SIGTERM, env=environment)
    try:
        _await_answer(process, port)
        yield Server(port, process, environment)
    finally:
        process.terminate()
        process.wait()
        child.forget(process)


def _production(database: str) -> dict[str, str]:
    """Sessions were made by this process, so it shares its key with the server."""
    return {
        "DJANGO_SETTINGS_MODULE": "benchmarks.settings",
        "HAPPENING_ENV": "production",
        "SECRET_KEY": settings.SECRET_KEY,
        "ALLOWED_HOSTS": "localhost",
        "SITE_URL": "https://localhost",
        "DATABASE_URL": urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{database}").geturl(),
        "AMQP_URL": os.environ.get("AMQP_URL", ""),
        "LOG_LEVEL": "ERROR",
        "BOOKINGS_PER_ADDRESS": "1000000000",  # all visitors have one
        "BOOKINGS_PER_PERSON": "1000000000",
    }


def _await_answer(process: subprocess.Popen, port: int) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        probe = http.client.HTTPConnection(HOST, port, timeout=5)
        try:
            probe.request("GET", "/healthz", headers={"Host": "localhost"})
            if probe.getresponse().status == 200:
                return
        except (OSError, http.client.HTTPException) as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("The server does not serve.") from error
        finally:
            probe.close()
        time.sleep(0.1)


def _seconds(pid: int) -> float:
    """A process, those it has started, and those of them that have ended."""
    own = _stat(pid)
    ticks = sum(int(own[field]) for field in (11, 12, 13, 14))
    for each in Path("/proc").glob("[0-9]*"):
        try:
            if _parent(int(each.name)) == pid:
                ticks += _seconds(int(each.name)) * TICKS
        except (FileNotFoundError, ProcessLookupError):  # ended meanwhile
            continue
    return ticks / TICKS


def _parent(pid: int) -> int:
    return int(_stat(pid)[1])


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat behind the name, which may hold anything."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
