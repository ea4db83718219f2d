"""Somebody leaves: what they are still owed stays in their inbox, as it does of whoever is locked out."""

from datetime import datetime
from uuid import UUID

from django.db import connection


def keep_in_the_inbox(user_id: UUID, *, now: datetime) -> int:
    """Let nothing that this person is still owed go out by mail; returns how many messages. It counts as
    delivered to the inbox alone: that nobody is left to write to is no failure to be looked into. Whoever has
    one in hand finds it done."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH owed AS (
                SELECT id FROM notifications WHERE user_id = %(user_id)s AND status IN ('pending', 'sent')
                ORDER BY id FOR NO KEY UPDATE
            )
            UPDATE notifications SET status = 'delivered', delivered_at = %(now)s, lease_until = NULL,
                   read_at = coalesce(read_at, %(now)s), last_error = NULL
            FROM owed WHERE notifications.id = owed.id
            """,
            {"user_id": user_id, "now": now},
        )
        return cursor.rowcount
