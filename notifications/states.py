"""The states of a notification and every arrow between them, each one function, one statement, set-wise.

    pending --claim--> pending, leased --handed_over--> sent --take--> sent, leased --told--> delivered

and back or aside: `keep`, `postpone`, `let_go`, `overtaken`, `failed`, `again`; `take` stands in `taking`,
and `hold` keeps in hand what takes long. What was sent and never came back is put right by
`reconcile`. `docs/architecture.md` has them all in a table.

A lease is a moment, and that moment says whose it is: a row is claimed again only after it, so no two claims
of a row carry the same one. A relay or a sender that comes too late finds its moment gone and changes
nothing. Only `told` does not ask for the lease: what was mailed was mailed.

Who locks several rows locks them by id, so relays and senders may wait for each other but never in a ring.

The steps on the way do not wait for PostgreSQL's disk (QUICKLY), which would cost a message more than all the
rest. A database that loses its last half second so has a step not taken: the row is claimed or sent once
more, and never less than once. That it was mailed (`told`) does wait.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db import connection

RELAY_LEASE = timedelta(seconds=90)
SENDER_LEASE = timedelta(seconds=60)
LONGEST_ERROR = 500
QUICKLY = ", set_config('synchronous_commit', 'off', true)"  # asked with the rows: for this statement alone

Place = tuple[datetime, UUID]  # where a row stands among those that fall due: its moment, and its id
FIRST_ID = UUID(int=0)
FIRST_PLACE = datetime.min.replace(tzinfo=UTC), FIRST_ID


@dataclass(frozen=True)
class Claimed:
    """What a relay has in hand."""

    id: UUID
    type: str
    due_at: datetime

    @property
    def place(self) -> Place:
        return self.due_at, self.id


def is_anything_due(*, now: datetime, since: datetime) -> bool:
    """Whether the relay has work that fell due at `since` or later: two short looks at the index of what is
    pending. In its order, since after a backlog the planner still believes that any row would do."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT coalesce(
                (SELECT true FROM notifications WHERE status = 'pending' AND NOT in_bulk
                 AND due_at BETWEEN %(since)s AND %(now)s AND (lease_until IS NULL OR lease_until < %(now)s)
                 ORDER BY due_at, id LIMIT 1),
                (SELECT true FROM notifications WHERE status = 'pending' AND in_bulk
                 AND due_at BETWEEN %(since)s AND %(now)s AND (lease_until IS NULL OR lease_until < %(now)s)
                 ORDER BY due_at, id LIMIT 1),
                false
            )
            """,
            {"now": now, "since": since},
        )
        return cursor.fetchone()[0]


def claim(*, in_bulk: bool, most: int, now: datetime, behind: Place = FIRST_PLACE) -> list[Claimed]:
    """Lease up to `most` due rows of one lane to the relay that asks; each is one more attempt.

    `behind`: only rows behind this one are looked for, in the order in which they fall due. Where a long
    backlog is claimed page by page, what the index still holds of the pages before is not read again.
    """
    if most <= 0:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH page AS (
                SELECT ctid AS place{QUICKLY} FROM notifications
                WHERE status = 'pending' AND in_bulk = %(in_bulk)s
                  AND (due_at, id) > (%(moment)s, %(row_id)s) AND due_at <= %(now)s
                  AND (lease_until IS NULL OR lease_until < %(now)s)
                ORDER BY due_at, id LIMIT %(most)s FOR NO KEY UPDATE SKIP LOCKED
            )
            UPDATE notifications SET lease_until = %(lease)s, attempts = attempts + 1
            FROM page WHERE notifications.ctid = page.place
            RETURNING notifications.id, notifications.type, notifications.due_at
            """,  # noqa: S608 - no words of others
            {
                "in_bulk": in_bulk,
                "now": now,
                "most": most,
                "lease": now + RELAY_LEASE,
                **dict(zip(("moment", "row_id"), behind, strict=True)),
            },
        )
        return [Claimed(*row) for row in cursor.fetchall()]


def handed_over(ids: list[UUID], *, lease: datetime, now: datetime) -> int:
    """The broker has taken them. One that a sender was quicker to take is left to it."""
    return _change(
        "status = 'sent', sent_at = %(now)s, lease_until = NULL, last_error = NULL",
        ids,
        "status = 'pending' AND lease_until = %(lease)s",
        is_quick=True,
        now=now,
        lease=lease,
    )


def keep(ids: list[UUID], *, lease: datetime, due_at: datetime, reason: str) -> int:
    """The broker has not taken them. That was no attempt of theirs."""
    return _change(
        "due_at = %(due_at)s, lease_until = NULL, attempts = attempts - 1, last_error = %(reason)s",
        ids,
        "status = 'pending' AND lease_until = %(lease)s",
        lease=lease,
        due_at=due_at,
        reason=reason[:LONGEST_ERROR],
    )


def told(ids: list[UUID], *, now: datetime) -> int:
    """They are delivered: the mail server took them, or they stay in the inbox alone. Waits for the disk,
    since no mail can be taken back."""
    return _change(
        "status = 'delivered', delivered_at = %(now)s, lease_until = NULL, "
        "sent_at = coalesce(sent_at, %(now)s), failed_at = NULL, last_error = NULL",
        ids,
        "status <> 'delivered'",
        now=now,
    )


def overtaken(newer_of: dict[UUID, UUID], *, lease: datetime, now: datetime) -> int:
    """Delivered without a mail, each because of a newer one that was delivered before it."""
    if not newer_of:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE notifications SET status = 'delivered', delivered_at = %(now)s, lease_until = NULL,
                   superseded_by = newer.id, last_error = NULL
            FROM unnest(%(ids)s::uuid[], %(newer)s::uuid[]) AS newer (row_id, id)
            WHERE notifications.id = newer.row_id AND status = 'sent' AND lease_until = %(lease)s
            """,
            {"ids": list(newer_of), "newer": list(newer_of.values()), "lease": lease, "now": now},
        )
        return cursor.rowcount


def postpone(ids: list[UUID], *, lease: datetime, due_at: datetime, reason: str, counted: bool = True) -> int:
    """Could not be delivered now. `counted`: it was refused itself; otherwise nobody was there to ask, and
    the attempt is taken back."""
    return _change(
        "status = 'pending', due_at = %(due_at)s, lease_until = NULL, last_error = %(reason)s, "
        "attempts = greatest(attempts - %(back)s, 0)",
        ids,
        "status = 'sent' AND lease_until = %(lease)s",
        lease=lease,
        due_at=due_at,
        back=0 if counted else 1,
        reason=reason[:LONGEST_ERROR],
    )


def hold(ids: list[UUID], *, lease: datetime, until: datetime) -> int:
    """They stay in the sender's hands for longer."""
    return _change(
        "lease_until = %(until)s",
        ids,
        "status = 'sent' AND lease_until = %(lease)s",
        is_quick=True,
        lease=lease,
        until=until,
    )


def let_go(ids: list[UUID], *, lease: datetime) -> int:
    """Not delivered after all, and their messages go back to the queue."""
    return _change(
        "lease_until = NULL", ids, "status = 'sent' AND lease_until = %(lease)s", is_quick=True, lease=lease
    )


def failed(ids: list[UUID], *, lease: datetime, now: datetime, reason: str) -> int:
    """Given up, until somebody asks for it again."""
    return _change(
        "status = 'failed', failed_at = %(now)s, lease_until = NULL, last_error = %(reason)s",
        ids,
        "status = 'sent' AND lease_until = %(lease)s",
        lease=lease,
        now=now,
        reason=reason[:LONGEST_ERROR],
    )


def again(ids: list[UUID], *, now: datetime) -> int:
    """Failed ones are to be tried again from the beginning."""
    return _change(
        "status = 'pending', due_at = %(now)s, attempts = 0, failed_at = NULL",
        ids,
        "status = 'failed'",
        now=now,
    )


def _change(change: str, ids: list[UUID], where: str, *, is_quick: bool = False, **facts) -> int:
    if not ids:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH row AS (
                SELECT id{QUICKLY if is_quick else ""} FROM notifications
                WHERE id = ANY(%(ids)s) AND {where} ORDER BY id FOR NO KEY UPDATE
            )
            UPDATE notifications SET {change} FROM row WHERE notifications.id = row.id
            """,  # noqa: S608 - the parts are this module's own words
            {"ids": list(ids), **facts},
        )
        return cursor.rowcount
