"""What was handed over and never came back: put right, so that no row says "sent" for ever.

Two ways for that. A sender died with rows in hand: their lease ends, and nobody else marks them. Or the
broker lost messages (its queue was deleted, its disk was): rows sent long ago while the queue is empty, or
long before what a sender has in hand by now, since the queue gives first what came first. To be wrong about
that costs a message more, which finds its row told.

Both go back to pending, each row at its own moment, so that those who shared a batch with the one that ends
its senders do not meet it again. What has been tried too often has failed, with its reason.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection

from notifications import transport
from notifications.delivery import FIRST_WAIT
from notifications.states import SENDER_LEASE

LOST_AFTER = timedelta(minutes=3)
PAGE = 1_000

DIED = "The sender that had it in hand ended before it was told."
LOST = "RabbitMQ took it, and it never came to a sender."


def reconcile(*, now: datetime) -> int:
    """Put right what can be; returns how many rows that were.

    Raises:
        BrokerAway: it cannot be asked how long the queue is. Rows of dead senders are put right first.
    """
    changed = _settle("lease_until < %(before)s", before=now, reason=DIED, now=now)
    before = now - LOST_AFTER
    if _is_any_old(before) and (before := before if _queue_is_empty() else _passed_by()):
        changed += _settle(
            "lease_until IS NULL AND sent_at < %(before)s", before=before, reason=LOST, now=now
        )
    return changed


def _queue_is_empty() -> bool:
    with transport.to_the_sender() as line:
        return line.waiting() == 0


def _passed_by() -> datetime | None:
    """What was sent before this moment should have come before what senders have in hand now; None where they
    have nothing. The oldest in hand decides, and not one that came before the relay had marked it: its own
    moment says nothing of the queue."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sent_at - %s FROM notifications WHERE status = 'sent' AND lease_until > sent_at + %s "
            "ORDER BY sent_at LIMIT 1",
            [LOST_AFTER, SENDER_LEASE],
        )
        found = cursor.fetchone()
    return found and found[0]


def _is_any_old(before: datetime) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM notifications "
            "WHERE status = 'sent' AND sent_at < %s AND lease_until IS NULL)",
            [before],
        )
        return cursor.fetchone()[0]


def _settle(where: str, *, before: datetime, reason: str, now: datetime) -> int:
    changed = 0
    while (page := _settle_page(where, before=before, reason=reason, now=now)) == PAGE:
        changed += page
    return changed + page


def _settle_page(where: str, *, before: datetime, reason: str, now: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH row AS (
                SELECT id, attempts >= %(tries)s AS is_over FROM notifications
                WHERE status = 'sent' AND {where}
                ORDER BY id LIMIT %(page)s FOR NO KEY UPDATE SKIP LOCKED
            )
            UPDATE notifications SET
                status = CASE WHEN is_over THEN 'failed' ELSE 'pending' END,
                failed_at = CASE WHEN is_over THEN %(now)s::timestamptz END,
                due_at = CASE WHEN is_over THEN due_at
                         ELSE %(now)s + %(wait)s * (attempts - 1) * (1 + random() / 2) END,
                lease_until = NULL,
                last_error = CASE WHEN is_over THEN 'Tried ' || attempts || ' times. ' ELSE '' END
                             || %(reason)s
            FROM row WHERE notifications.id = row.id
            """,  # noqa: S608 - the parts are this module's own words
            {
                "before": before,
                "reason": reason,
                "now": now,
                "wait": FIRST_WAIT,
                "tries": settings.DELIVERY_TRIES,
                "page": PAGE,
            },
        )
        return cursor.rowcount
