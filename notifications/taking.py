"""What a sender takes in hand: rows that are still to be delivered, each with its person as they are now,
whether they want such mail, and the newer news that makes it needless, where that was delivered before. All
in one question, because in a rush the sender takes a handful at a time."""

import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from notifications.models import Notification, Preference
from notifications.states import QUICKLY, SENDER_LEASE

BOOKING_TYPES = ["booking_confirmed", "booking_waitlisted", "booking_cancelled", "waitlist_promoted"]


@dataclass(frozen=True)
class Taken:
    """What a sender has in hand, with its person as they are now. `newer`: one that tells the person of
    the same subject, was made later, and is delivered already. `wants_mail`: no choice of the person's keeps
    such messages to the inbox (`preferences`)."""

    notification: Notification
    email: str | None
    name: str | None
    person_status: str
    profile: dict
    organization: str | None
    newer: UUID | None
    wants_mail: bool = True


def take(ids: list[UUID], *, now: datetime) -> list[Taken]:
    """Lease those of these rows to the sender that asks which are still to be delivered, oldest first.

    That is: sent, and in nobody's hand; or pending and due, where the message was quicker than the relay's
    mark. One that was put off comes again by itself.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _TAKE,
            {
                "ids": ids,
                "now": now,
                "lease": now + SENDER_LEASE,
                "booking": BOOKING_TYPES,
                "everything": Preference.EVERYTHING,
            },
        )
        return [_taken(*row) for row in cursor.fetchall()]


_TAKE = f"""
WITH row AS (
    SELECT id{QUICKLY} FROM notifications
    WHERE id = ANY(%(ids)s) AND (
        (status = 'sent' AND (lease_until IS NULL OR lease_until < %(now)s))
        OR (status = 'pending' AND due_at <= %(now)s)
    )
    ORDER BY id FOR NO KEY UPDATE
), taken AS (
    UPDATE notifications SET status = 'sent', lease_until = %(lease)s,
           sent_at = CASE WHEN status = 'sent' THEN sent_at ELSE %(now)s END
    FROM row WHERE notifications.id = row.id RETURNING notifications.*
)
SELECT taken.id, taken.user_id, taken.type, taken.payload, taken.attempts, taken.lease_until,
       taken.created_at, taken.org_id, taken.event_id, taken.booking_id, taken.in_bulk,
       person.email, person.name, person.status, person.profile, organization.name,
       (
           SELECT newer.id FROM notifications AS newer
           WHERE newer.user_id = taken.user_id
             AND (newer.created_at, newer.id) > (taken.created_at, taken.id)
             AND newer.status = 'delivered' AND newer.superseded_by IS NULL
             AND (
                 (newer.booking_id = taken.booking_id AND newer.type = ANY(%(booking)s)
                  AND (taken.type = ANY(%(booking)s)
                       OR (newer.type = 'booking_cancelled' AND NOT EXISTS (
                           SELECT FROM jsonb_array_elements(taken.payload -> 'others') AS other
                           WHERE NOT EXISTS (
                               SELECT FROM notifications AS told
                               WHERE told.user_id = taken.user_id AND told.type = 'booking_cancelled'
                                 AND told.booking_id = (other ->> 'booking_id')::uuid
                                 AND told.status = 'delivered'
                           )
                       ))))
                 OR (newer.event_id = taken.event_id AND newer.type = 'event_cancelled')
                 OR (newer.event_id = taken.event_id AND newer.type = 'event_updated'
                     AND taken.type IN ('event_updated', 'event_reminder'))
             )
           ORDER BY newer.created_at DESC, newer.id DESC LIMIT 1
       ),
       NOT EXISTS (
           SELECT FROM notification_preferences AS choice
           WHERE choice.user_id = taken.user_id AND choice.type IN (taken.type, %(everything)s)
             AND NOT choice.by_mail
       )
FROM taken
JOIN users AS person ON person.id = taken.user_id
LEFT JOIN organizations AS organization ON organization.id = taken.org_id
ORDER BY taken.created_at, taken.id
"""  # noqa: S608 - no words of others


_OF_THE_ROW = (
    *("id", "user_id", "type", "payload", "attempts", "lease_until", "created_at"),
    *("org_id", "event_id", "booking_id", "in_bulk"),
)


def _taken(*columns) -> Taken:
    row = dict(zip(_OF_THE_ROW, columns, strict=False))
    email, name, status, profile, *rest = columns[len(row) :]
    row["payload"] = json.loads(row["payload"])  # Django's connections leave JSON as it is written
    return Taken(Notification(**row), email, name, status, json.loads(profile), *rest)
