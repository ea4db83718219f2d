"""Everything of the compose file at work, and one look at whether it is whole."""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPException
from pathlib import Path

import redis

from happening.embedded.place import Place
from tests.faults.composed.containers import Container, Containers
from tests.faults.composed.files import Compose, Image
from tests.faults.composed.servers import ComposedPostgres, ComposedRabbit, ComposedRedis, PgBouncer, Proxy
from tests.faults.composed.visitor import Onlooker, Visitor
from tests.faults.mail_sink import MailSink

STOCK = Path(__file__).with_name("stock.py")
CANCEL = """
from bookings.services import cancel_event
from django.utils import timezone
cancel_event(event_id="{event}", reason="It rains.", actor_id=None, now=timezone.now())
"""
OURS = ("web", "live", "worker", "beat", "sender")
WHOLE_WITHIN = 10.0  # seconds after a service has come back


@dataclass(frozen=True)
class Seconds:
    """After which a booking was made, seen by somebody who looks on, counted in Redis, and told by mail."""

    booked: float
    shown: float
    counted: float
    told: float

    def __str__(self) -> str:
        return ", ".join(f"{name} {value:.1f} s" for name, value in vars(self).items())

    @property
    def longest(self) -> float:
        return max(vars(self).values())


class Stage:
    def __init__(self, data: Path) -> None:
        self.place = Place(data).open()
        written = self.place.make(self.place.servers / "written")
        written.chmod(0o755)
        self.compose = Compose(written)
        self.image = Image(data)
        self.mail = MailSink()
        self.mail.port = self.compose.ports["mail:1025"]
        servers = (ComposedPostgres, PgBouncer, ComposedRedis, ComposedRabbit, Proxy)
        self.postgres, self.pgbouncer, self.redis, self.rabbitmq, self.proxy = (
            server(self.place, self.compose) for server in servers
        )
        self.containers = Containers(self.compose, self.image, self.place.data / "log")

    def begin(self) -> None:
        """From nothing to a site that serves, as `docker compose up` does it."""
        self.compose.make_secrets()
        self.image.build()
        self.rabbitmq.forget()
        for server in (self.postgres, self.redis, self.rabbitmq, self.pgbouncer):
            server.start()
            if server is self.postgres:
                server.make_roles()
        self.containers.run("migrate")
        self.mail.start()
        with STOCK.open() as script:
            said = self.containers.run("web", ["python", "manage.py", "shell", "-v0"], stdin=script)
        stock = json.loads(said)
        self.event, self.doomed, self.walker = stock["event"], stock["doomed"], stock["walker"]
        self._people = iter(stock["people"])
        self.add(*OURS)
        self.onlooker = Onlooker(self.visitor(), self.event)
        self.onlooker.start()

    def end(self) -> None:
        if hasattr(self, "onlooker"):
            self.onlooker.end()
        self.containers.stop()
        self.mail.stop()
        for server in (self.proxy, self.pgbouncer, self.redis, self.postgres):
            server.stop()
        self.rabbitmq.end()

    def add(self, *services: str) -> None:
        """One more process of each, which the proxy finds."""
        for container in [self.containers.start(service) for service in services]:
            container.wait_until_well()
        self.tell_proxy()

    def remove(self, container: Container) -> None:
        self.containers.end(container)
        self.tell_proxy()

    def tell_proxy(self) -> None:
        webs, lives = self.containers.of("web"), self.containers.of("live")
        self.proxy.behind |= {
            "web:8000": [each.port for each in webs],
            "live:8001": [each.port for each in lives],
        }
        if self.proxy.process:
            self.proxy.read_again()
        elif webs and lives:
            self.proxy.start()

    def visitor(self, session: str | None = None) -> Visitor:
        return Visitor(self.compose.site_url, self.compose.secrets / "tls_certificate", session=session)

    def somebody(self) -> tuple[str, Visitor]:
        """The address of a person who has not booked yet, and their browser."""
        address, session = next(self._people)
        return address, self.visitor(session)

    def seats_left(self) -> int:
        with self.postgres.connect() as connection:
            query = "SELECT available_slots FROM events WHERE id = %s"
            return connection.execute(query, [self.event]).fetchone()[0]

    def counter(self) -> int | None:
        with self.redis.client(2) as client:
            said = client.get(f"event:{self.event}:slots")
            return None if said is None else int(said)

    def cancel(self, event: str) -> None:
        """As its organizer does."""
        self.containers.run("web", ["python", "manage.py", "shell", "-v0", "-c", CANCEL.format(event=event)])

    def failed_jobs(self, since: datetime) -> list[str]:
        """Those of the timetable whose last run has failed."""
        with self.postgres.connect() as connection:
            query = "SELECT job FROM job_runs WHERE outcome = 'failed' AND started_at > %s"
            return [job for (job,) in connection.execute(query, [since])]

    def whole_again(self, since: float, *, patience: float = 60.0) -> Seconds:
        """Somebody books, and everything that follows from it is waited for; counted from `since`.

        Raises:
            TimeoutError: what has not come true.
        """
        address, visitor = self.somebody()
        came_true: dict[str, float] = {}

        def wait_for(**truths: Callable[[], bool]) -> None:
            while missing := truths.keys() - came_true.keys():
                for name in missing:
                    with suppress(OSError, HTTPException, redis.RedisError):
                        if truths[name]():
                            came_true[name] = time.monotonic() - since
                if missing and time.monotonic() - since > patience:
                    raise TimeoutError(f"not {missing} after {patience:.0f} s: {self.facts()}")
                time.sleep(0.1)

        wait_for(booked=lambda: visitor.book(self.event).status == 303)
        wait_for(
            shown=lambda: self.onlooker.left == self.seats_left(),
            counted=self._is_counted,
            told=lambda: bool(self.mail.sent_to(address)),
        )
        return Seconds(**came_true)

    def _is_counted(self) -> bool:
        """A counter that Redis has lost begins anew with the next booking that finds Redis back."""
        if self.counter() is None:
            _, visitor = self.somebody()
            visitor.book(self.event)
        return self.counter() == self.seats_left()

    def facts(self) -> str:
        with self.postgres.connect() as connection:
            told = connection.execute("SELECT status, count(*) FROM notifications GROUP BY status").fetchall()
        seats = f"{self.seats_left()} left, {self.counter()} counted, {self.onlooker.left} shown"
        return f"{seats}; messages: {dict(told)}"
