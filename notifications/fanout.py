"""One change of an event, told to many: written page by page into the outbox, without telling twice.

What nobody has in hand yet is still ours to change: a message of the same kind that waits is rewritten to
say what is true now, and one that has been overtaken ends without a mail. Open pages of those people count
anew once that is committed.
"""

import json
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection
from django.db.models.functions import Coalesce

from notifications import live
from notifications.models import Notification
from notifications.outbox import NoTransaction, Owed, enqueue

PAGE = 2_000


def tell(messages: list[Owed], *, now: datetime) -> None:
    """Owe each of many people the same news of one event.

    `messages` are of one type and event, one for each person. Whoever has an older message of that
    type and event that nobody has in hand gets that one rewritten: it says what is new, and goes on saying
    what was before (`change.was`) as its person last knew it.

    Raises:
        NoTransaction: no transaction is open.
    """
    if not messages:
        return
    rewritten = _rewrite(messages, now=now)
    live.nudge_people(rewritten)
    enqueue([message for message in messages if message.user_id not in rewritten], now=now)


def supersede(
    types: Collection[str], *, by: str, event_id: UUID, user_ids: Collection[UUID], now: datetime
) -> int:
    """End without a mail what these people have not been told of the event, because a message of the type
    `by` tells more; returns how many messages. Those that somebody has in hand are left alone.

    Raises:
        NoTransaction: no transaction is open.
    """
    if not connection.in_atomic_block:
        raise NoTransaction("A message is superseded together with what supersedes it.")
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH overtaken AS ({_STANDING})
            UPDATE notifications
            SET status = 'delivered', delivered_at = %(now)s, lease_until = NULL,
                read_at = coalesce(notifications.read_at, %(now)s), superseded_by = newest.id
            FROM overtaken CROSS JOIN LATERAL (
                SELECT id FROM notifications AS newer
                WHERE newer.event_id = %(event_id)s AND newer.user_id = overtaken.user_id
                  AND newer.type = %(by)s
                ORDER BY created_at DESC, id DESC LIMIT 1
            ) AS newest
            WHERE notifications.id = overtaken.id
            RETURNING notifications.user_id
            """,  # noqa: S608 - both parts are this module's own words
            {"types": list(types), "by": by, "event_id": event_id, "users": list(user_ids), "now": now},
        )
        ended = [user_id for (user_id,) in cursor.fetchall()]
    live.nudge_people(ended)
    return len(ended)


def hold_back(types: Collection[str], *, event_id: UUID, until: datetime, now: datetime) -> int:
    """Let nothing of these types that waits go out before `until`, because it may no longer be true; returns
    how many messages. Page by page, each its own transaction where none is open; what somebody has in hand
    is left to them."""
    held, last = 0, UUID(int=0)
    while page := _hold_page(types, event_id=event_id, after=last, until=until, now=now):
        held, last = held + len(page), max(page)
    return held


def leave_out(
    booking_id: UUID, *, types: Collection[str], by: str, event_id: UUID, user_id: UUID, now: datetime
) -> None:
    """What this person is still to be told of the event no more speaks of a booking that they gave back. What
    spoke of no other ends without a mail, because of their message of the type `by`.

    Raises:
        NoTransaction: no transaction is open.
    """
    if not connection.in_atomic_block:
        raise NoTransaction("What was given back is left out together with its giving back.")
    theirs = Notification.objects.filter(event_id=event_id, user_id=user_id)
    spoke_of_it_alone = []
    for row in theirs.filter(type__in=types).standing(at=now).lock():
        kept = [each for each in row.bookings() if each["booking_id"] != str(booking_id)]
        if kept:
            row.speak_of(kept)
            row.save(update_fields=["booking_id", "payload"])
        else:
            spoke_of_it_alone.append(row.pk)
    newest = theirs.filter(type=by).order_by("-created_at", "-id").values("pk")[:1]
    Notification.objects.filter(pk__in=spoke_of_it_alone).update(
        status=Notification.Status.DELIVERED,
        delivered_at=now,
        lease_until=None,
        read_at=Coalesce("read_at", now),
        superseded_by=newest,
    )
    live.nudge_people([user_id])


def _hold_page(
    types: Collection[str], *, event_id: UUID, after: UUID, until: datetime, now: datetime
) -> list[UUID]:
    """Hold back what waits for the next people in order of their ids; returns those people."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH waiting AS (
                SELECT id FROM notifications
                WHERE event_id = %(event_id)s AND user_id > %(after)s AND type = ANY(%(types)s::text[])
                  AND status = 'pending' AND (lease_until IS NULL OR lease_until < %(now)s)
                ORDER BY user_id LIMIT %(page)s FOR NO KEY UPDATE SKIP LOCKED
            )
            UPDATE notifications SET due_at = greatest(due_at, %(until)s)
            FROM waiting WHERE notifications.id = waiting.id
            RETURNING notifications.user_id
            """,
            {
                "types": list(types),
                "event_id": event_id,
                "after": after,
                "until": until,
                "now": now,
                "page": PAGE,
            },
        )
        return [user_id for (user_id,) in cursor.fetchall()]


def _rewrite(messages: list[Owed], *, now: datetime) -> set[UUID]:
    """Let what waits say the news; returns whose messages did."""
    waiting = _waiting(messages, now=now)
    news = [
        {
            "id": waiting[message.user_id],
            "payload": message.payload,
            "dedupe_key": message.dedupe_key,
            "booking_id": message.booking_id,
        }
        for message in messages
        if message.user_id in waiting
    ]
    if not news:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE notifications
            SET payload = CASE
                    WHEN notifications.payload #> '{change,was}' IS NULL THEN news.payload
                    ELSE jsonb_set(
                        news.payload, '{change,was}',
                        (news.payload #> '{change,was}') || (notifications.payload #> '{change,was}')
                    )
                END,
                dedupe_key = news.dedupe_key, booking_id = news.booking_id,
                created_at = %(now)s, read_at = NULL
            FROM jsonb_to_recordset(%(news)s::jsonb)
                AS news (id uuid, payload jsonb, dedupe_key text, booking_id uuid)
            WHERE notifications.id = news.id AND NOT EXISTS (
                SELECT FROM notifications AS told WHERE told.dedupe_key = news.dedupe_key
            )
            RETURNING notifications.user_id
            """,
            {"news": json.dumps(news, cls=DjangoJSONEncoder), "now": now},
        )
        return {user_id for (user_id,) in cursor.fetchall()}


def _waiting(messages: list[Owed], *, now: datetime) -> dict[UUID, UUID]:
    """For each person who has one, the newest message of this kind that nobody has in hand; locked."""
    first = messages[0]
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH standing AS ({_STANDING})
            SELECT DISTINCT ON (user_id) user_id, id FROM standing ORDER BY user_id, created_at DESC, id DESC
            """,  # noqa: S608 - both parts are this module's own words
            {
                "types": [first.type],
                "event_id": first.event_id,
                "users": [message.user_id for message in messages],
                "now": now,
            },
        )
        return dict(cursor.fetchall())


# What these people are still to be told of the event and nobody has in hand: whoever is taking a row just now
# (the relay) is not waited for.
_STANDING = """
    SELECT id, user_id, created_at FROM notifications
    WHERE event_id = %(event_id)s AND user_id = ANY(%(users)s::uuid[]) AND type = ANY(%(types)s::text[])
      AND status = 'pending' AND (lease_until IS NULL OR lease_until < %(now)s)
    ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
"""
