"""Whether this machine, PostgreSQL and Redis tell the same time: leases, reminders and closing go by it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from django.db import connection
from django.utils import timezone

from happening.doctor.finding import Finding
from happening.doctor.redis_server import client

APART = timedelta(seconds=2)
MEND = "Let both machines set their clocks by NTP (`timedatectl set-ntp true`)."


def of_postgres(*, clock: Callable[[], datetime] = timezone.now) -> Iterator[Finding]:
    def theirs() -> datetime:
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            return cursor.fetchone()[0]

    yield _compared("PostgreSQL", theirs, clock)


def of_redis(*, clock: Callable[[], datetime] = timezone.now) -> Iterator[Finding]:
    with client() as server:

        def theirs() -> datetime:
            seconds, microseconds = server.time()
            return datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=microseconds)

        yield _compared("Redis", theirs, clock)


def _compared(whose: str, theirs: Callable[[], datetime], clock: Callable[[], datetime]) -> Finding:
    """Their time lies between two looks at ours, unless a clock is off."""
    before, their_time, after = clock(), theirs(), clock()
    apart = max(before - their_time, their_time - after, timedelta(0))
    if apart > APART:
        return Finding("Clock", f"{apart.total_seconds():.0f} s apart from that of {whose}", MEND)
    return Finding("Clock", f"as {whose} has it")
