"""How telling people goes, in figures: for the operator's page and for metrics.

Asked of the table that people are told from, so each question is bounded: counts end at a limit, and what is
added up is at most the newest hundred thousand rows of the time asked for (a row's id begins with the moment
of its making, so the primary key finds them).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection

COUNTED = 100_000  # where a count ends
ADDED_UP = 100_000  # newest rows that a sum is made of


@dataclass(frozen=True)
class Backlog:
    """What is under way at this moment. Counts end at COUNTED; ages are in seconds, 0 where there is none."""

    pending: int
    due: int
    sent: int
    failed: int
    oldest_due_seconds: float
    oldest_sent_seconds: float


@dataclass(frozen=True)
class Line:
    """What became of the messages of one type and organization. `seconds`: the median from the change to the
    delivery, None where nothing was delivered."""

    type: str
    organization: str | None
    delivered: int
    failed: int
    under_way: int
    superseded: int
    seconds: float | None

    @property
    def total(self) -> int:
        return self.delivered + self.failed + self.under_way


@dataclass(frozen=True)
class Hour:
    begins: datetime
    delivered: int
    failed: int
    under_way: int

    @property
    def total(self) -> int:
        return self.delivered + self.failed + self.under_way


def backlog(*, now: datetime) -> Backlog:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT
                (SELECT count(*) FROM (SELECT FROM notifications WHERE status = 'pending'
                                       LIMIT %(most)s) AS row),
                (SELECT count(*) FROM (SELECT FROM notifications WHERE status = 'pending'
                                       AND in_bulk IN (false, true) AND due_at <= %(now)s
                                       LIMIT %(most)s) AS row),
                (SELECT count(*) FROM (SELECT FROM notifications WHERE status = 'sent'
                                       LIMIT %(most)s) AS row),
                (SELECT count(*) FROM (SELECT FROM notifications WHERE status = 'failed'
                                       LIMIT %(most)s) AS row),
                least(
                    (SELECT due_at FROM notifications WHERE status = 'pending' AND NOT in_bulk
                     ORDER BY due_at LIMIT 1),
                    (SELECT due_at FROM notifications WHERE status = 'pending' AND in_bulk
                     ORDER BY due_at LIMIT 1)
                ),
                (SELECT min(sent_at) FROM notifications WHERE status = 'sent')
            """,
            {"most": COUNTED, "now": now},
        )
        pending, due, sent, failed, oldest_due, oldest_sent = cursor.fetchone()
    return Backlog(pending, due, sent, failed, _age(oldest_due, now), _age(oldest_sent, now))


def by_type_and_organization(*, since: datetime) -> list[Line]:
    """What became of the messages owed since then, those with most failures first."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT row.type, organization.name,
                count(*) FILTER (WHERE row.status = 'delivered'),
                count(*) FILTER (WHERE row.status = 'failed'),
                count(*) FILTER (WHERE row.status IN ('pending', 'sent')),
                count(row.superseded_by),
                percentile_cont(0.5) WITHIN GROUP (
                    ORDER BY extract(epoch FROM row.delivered_at - row.created_at)
                )
            FROM (
                SELECT type, org_id, status, superseded_by, delivered_at, created_at FROM notifications
                WHERE id >= %(first)s ORDER BY id DESC LIMIT %(most)s
            ) AS row
            LEFT JOIN organizations AS organization ON organization.id = row.org_id
            GROUP BY row.type, organization.id
            ORDER BY 4 DESC, count(*) DESC, 1, 2
            """,
            {"first": _first_id(since), "most": ADDED_UP},
        )
        return [Line(*row) for row in cursor.fetchall()]


def by_hour(*, now: datetime, hours: int = 24) -> list[Hour]:
    """What became of the messages owed in each of the last hours, oldest first, this one included."""
    this_hour = now.replace(minute=0, second=0, microsecond=0)
    begins = [this_hour - timedelta(hours=back) for back in reversed(range(hours))]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT date_trunc('hour', created_at, 'UTC'),
                count(*) FILTER (WHERE status = 'delivered'),
                count(*) FILTER (WHERE status = 'failed'),
                count(*) FILTER (WHERE status IN ('pending', 'sent'))
            FROM (
                SELECT created_at, status FROM notifications
                WHERE id >= %(first)s ORDER BY id DESC LIMIT %(most)s
            ) AS row
            GROUP BY 1
            """,
            {"first": _first_id(begins[0]), "most": ADDED_UP},
        )
        counted = {hour: counts for hour, *counts in cursor.fetchall()}
    return [Hour(hour, *counted.get(hour, (0, 0, 0))) for hour in begins]


def _first_id(moment: datetime) -> UUID:
    """The least id (version 7) that a row made at this moment can have."""
    milliseconds = int(moment.timestamp() * 1000)
    return UUID(int=(milliseconds << 80) | (7 << 76) | (0b10 << 62))


def _age(moment: datetime | None, now: datetime) -> float:
    return max(0.0, (now - moment).total_seconds()) if moment else 0.0
