"""What `manage.py doctor` looks at. Each look ends as findings, also when what it looks at is down.

A finding that is not ok carries its mend: what to do, in a sentence. A new look joins LOOKS.
"""

import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import redis
from django.conf import settings
from django.core.mail import get_connection
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from kombu import Connection as Broker
from kombu.exceptions import KombuError

from bookings.guards import missing_guards
from happening import job_runs
from happening.embedded.environment import NOWHERE
from happening.embedded.place import is_embedded
from happening.settings import redis_url

POSTGRES_VERSIONS = range(15, 19)
SECONDS = 5  # patience with a service
CLOCK_SECONDS = 5  # by which the clocks of application and database may differ
FREE_BYTES = 500_000_000


@dataclass(frozen=True)
class Finding:
    what: str
    says: str
    mend: str = ""

    @property
    def is_ok(self) -> bool:
        return not self.mend


def findings() -> Iterator[Finding]:
    """All of them, in the order in which they are best mended."""
    for look in LOOKS:
        yield from look()


def python() -> Iterator[Finding]:
    yield Finding("Python", f"{platform.python_version()} at {sys.prefix}")


def servers() -> Iterator[Finding]:
    if trouble := os.environ.get("HAPPENING_SERVERS_UNAVAILABLE"):
        says, _, mend = " ".join(trouble.split()).partition(". ")
        yield Finding("Servers", says, mend or "Mend what that says, and try again.")


def postgres() -> Iterator[Finding]:
    if _is_nowhere("DATABASE_URL"):
        return
    connection.settings_dict["OPTIONS"]["connect_timeout"] = SECONDS
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT current_setting('transaction_isolation'), current_setting('lock_timeout'),"
                " clock_timestamp()"
            )
            isolation, patience, their_time = cursor.fetchone()
        version = connection.pg_version
    except DatabaseError as error:
        mend = "Start PostgreSQL, or correct DATABASE_URL; without it `make run` starts one of its own."
        yield Finding("PostgreSQL", f"{_where('DATABASE_URL')} does not answer: {_first_line(error)}", mend)
        return
    known = version // 10000 in POSTGRES_VERSIONS
    yield Finding(
        "PostgreSQL",
        f"{version // 10000}.{version % 10000}, {_where('DATABASE_URL')}",
        "" if known else "Use PostgreSQL 15 to 18: other versions are not tested.",
    )
    if isolation != "read committed":
        yield Finding(
            "Isolation", isolation, "Set default_transaction_isolation to 'read committed': locks rely on it."
        )
    if patience == "0":
        mend = "Set it on the role (docs/deploy.md): with DATABASE_POOLED a connection cannot ask for it."
        yield Finding("Lock timeout", "none, so that one stuck lock would hold everybody", mend)
    apart = abs((timezone.now() - their_time).total_seconds())
    if apart > CLOCK_SECONDS:
        yield Finding("Clock", f"{apart:.0f} s apart from PostgreSQL's", "Set both machines' clocks by NTP.")
    yield from _schema()


def _schema() -> Iterator[Finding]:
    executor = MigrationExecutor(connection)
    pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if pending:
        names = ", ".join(f"{migration.app_label}.{migration.name}" for migration, _ in pending[:3])
        more = " and more" if len(pending) > 3 else ""
        yield Finding(
            "Migrations", f"{len(pending)} are missing: {names}{more}", "Run `python manage.py migrate`."
        )
        return
    yield Finding("Migrations", "all applied")
    missing = missing_guards()
    for name, state in missing.items():
        mend = "Stop the web, drop the index if it is there, and run `docs/schema/schema_improved.sql`."
        yield Finding("Guard index", f"{name} is {state}, so the promise it holds is not kept", mend)
    if not missing:
        yield Finding("Guard indexes", "there and valid")


def jobs() -> Iterator[Finding]:
    if _is_nowhere("DATABASE_URL"):
        return
    try:
        late = job_runs.late(now=timezone.now())
    except DatabaseError:
        return  # `postgres` says what is wrong
    if not late:
        yield Finding("Jobs", "none is late")
        return
    listed = ", ".join(f"{one.job} since {one.since:%Y-%m-%d %H:%M} UTC" for one in late)
    mend = "Start a worker and beat, and look in the worker's log for what fails."
    yield Finding("Jobs", f"{len(late)} late: {listed}", mend)


def redis_server() -> Iterator[Finding]:
    if _is_nowhere("REDIS_URL"):
        return
    client = redis.Redis.from_url(
        redis_url("seats"), socket_timeout=SECONDS, socket_connect_timeout=SECONDS, retry=None
    )
    try:
        facts = client.info()
    except redis.RedisError as error:
        mend = "Start Redis, or correct REDIS_URL. Booking goes on without it, guarded by PostgreSQL alone."
        yield Finding("Redis", f"{_where('REDIS_URL')} does not answer: {_first_line(error)}", mend)
        return
    finally:
        client.close()
    name = "Valkey" if "valkey_version" in facts else "Redis"
    version = facts.get("valkey_version") or facts["redis_version"]
    evicts = facts.get("maxmemory_policy", "noeviction") != "noeviction"
    yield Finding(
        "Redis",
        f"{name} {version}, {_where('REDIS_URL')}",
        "Set maxmemory-policy to noeviction: counters that vanish hide seats." if evicts else "",
    )


def broker() -> Iterator[Finding]:
    if not settings.AMQP_URL:
        yield Finding("Broker", "none; background work goes through Redis")
        return
    try:
        with Broker(settings.AMQP_URL, connect_timeout=SECONDS) as link:
            link.ensure_connection(max_retries=1, timeout=SECONDS)
    except (OSError, KombuError) as error:
        mend = "Start RabbitMQ, or correct AMQP_URL. What people are owed waits in PostgreSQL until then."
        yield Finding("Broker", f"{_where('AMQP_URL')} does not answer: {_first_line(error)}", mend)
        return
    yield Finding("Broker", f"RabbitMQ, {_where('AMQP_URL')}")


def mail() -> Iterator[Finding]:
    path = getattr(settings, "EMAIL_FILE_PATH", None)
    if path:
        holder = next(parent for parent in (Path(path), *Path(path).parents) if parent.exists())
        writable = os.access(holder, os.W_OK | os.X_OK)
        yield Finding("Mail", f"files in {path}", "" if writable else f"Make {holder} writable for yourself.")
        return
    try:
        link = get_connection(timeout=SECONDS)
        link.open()
        link.close()
    except OSError as error:
        where = f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
        mend = "Start the mail server, or correct EMAIL_URL. Mail waits and is tried again."
        yield Finding("Mail", f"{where} does not take mail: {_first_line(error)}", mend)
        return
    yield Finding("Mail", f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}")


def disk() -> Iterator[Finding]:
    path = next(parent for parent in (settings.DATA_DIR, *settings.DATA_DIR.parents) if parent.exists())
    free = shutil.disk_usage(path).free
    scarce = free < FREE_BYTES
    yield Finding(
        "Disk",
        f"{free / 1e9:.1f} GB free at {path}",
        "Free some space: under 0.5 GB is left." if scarce else "",
    )


def _is_nowhere(variable: str) -> bool:
    """Whether it would have been embedded, and `servers` says why it is not."""
    return os.environ[variable] == NOWHERE[variable]


def _where(variable: str) -> str:
    """Whose a service is and where, without the password."""
    url = urlsplit(os.environ[variable])
    socket = url.query.removeprefix("host=") or url.path
    if is_embedded(os.environ[variable]):
        return f"embedded, at {socket}"
    address = f"{url.hostname}:{url.port}".removesuffix(":None") if url.hostname else socket
    instance = os.environ.get("HAPPENING_INSTANCE")
    if variable == "AMQP_URL" and instance:
        return f"found at {address}; names on it begin with {instance}"
    return f"given, at {address}"


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


LOOKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    python,
    servers,
    disk,
    postgres,
    jobs,
    redis_server,
    broker,
    mail,
)
