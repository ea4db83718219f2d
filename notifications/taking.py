"""What a sender takes in hand: rows that are still to be delivered, each with its person as they are now,
whether they want such mail, the newer news that makes it needless, where that was delivered before, and where
the event is by now, as far as its person was told. All in one question, because in a rush the sender takes a
handful at a time; what the person was told of the same event is found by one index."""

import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from notifications.models import Notification, Preference
from notifications.states import QUICKLY, SENDER_LEASE

BOOKING_TYPES = ["booking_confirmed", "booking_waitlisted", "booking_cancelled", "waitlist_promoted"]
WITH_SEATS = {"booking_confirmed", "waitlist_promoted"}  # for whom there is a link to join
OF_THE_PLACE = {"place", "starts_at", "ends_at", "time_zone", "online_url", "sequence"}


@dataclass(frozen=True)
class Taken:
    """What a sender has in hand, with its person as they are now. `newer`: one that tells the person of
    a later state of the same subject, and is delivered already. A booking's message that waited while its
    person was told that the event moves says the new time and place. `wants_mail`: no choice of the person's
    keeps such messages to the inbox (`preferences`)."""

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


def _tells_more(counted: str) -> str:
    """That `told` is of a later state of its subject than `taken`. Only the subject's own count says so: two
    hosts' clocks differ, and one of them may have been read long before the change was written. The moment
    decides between messages of the same state, such as one that was sent again. Compared as JSON, since what
    is no number must not fail the whole batch."""
    return (
        f"(coalesce(told.payload -> '{counted}', '0'), told.created_at, told.id)"
        f" > (coalesce(taken.payload -> '{counted}', '0'), taken.created_at, taken.id)"
    )


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
       news.newer, news.moved,
       NOT EXISTS (
           SELECT FROM notification_preferences AS choice
           WHERE choice.user_id = taken.user_id AND choice.type IN (taken.type, %(everything)s)
             AND NOT choice.by_mail
       )
FROM taken
JOIN users AS person ON person.id = taken.user_id
LEFT JOIN organizations AS organization ON organization.id = taken.org_id
CROSS JOIN LATERAL (
    SELECT (array_agg(told.id ORDER BY told.created_at DESC, told.id DESC) FILTER (WHERE
        told.type = 'event_cancelled'
        OR (told.type = 'event_updated' AND taken.type IN ('event_updated', 'event_reminder')
            AND {_tells_more("sequence")})
        OR (told.type = ANY(%(booking)s) AND told.booking_id = taken.booking_id
            AND {_tells_more("booking_version")}
            AND (taken.type = ANY(%(booking)s)
                 OR (told.type = 'booking_cancelled' AND NOT EXISTS (
                     SELECT FROM jsonb_array_elements(taken.payload -> 'others') AS other
                     WHERE NOT EXISTS (
                         SELECT FROM notifications AS given_back
                         WHERE given_back.user_id = taken.user_id AND given_back.type = 'booking_cancelled'
                           AND given_back.booking_id = (other ->> 'booking_id')::uuid
                           AND given_back.status = 'delivered'
                     )
                 ))))
    ))[1] AS newer,
    (array_agg(told.payload ORDER BY told.payload -> 'sequence' DESC, told.created_at DESC) FILTER (WHERE
        told.type = 'event_updated' AND told.payload -> 'sequence' > taken.payload -> 'sequence'
    ))[1] AS moved
    FROM notifications AS told
    WHERE told.event_id = taken.event_id AND told.user_id = taken.user_id AND told.id <> taken.id
      AND told.status = 'delivered' AND told.superseded_by IS NULL
) AS news
ORDER BY taken.created_at, taken.id
"""  # noqa: S608 - no words of others


_OF_THE_ROW = (
    *("id", "user_id", "type", "payload", "attempts", "lease_until", "created_at"),
    *("org_id", "event_id", "booking_id", "in_bulk"),
)


def _taken(*columns) -> Taken:
    row = dict(zip(_OF_THE_ROW, columns, strict=False))
    email, name, status, profile, organization, newer, moved, wants_mail = columns[len(row) :]
    row["payload"] = json.loads(row["payload"])  # Django's connections leave JSON as it is written
    if moved and row["type"] in BOOKING_TYPES:
        row["payload"] = _as_moved(row["type"], row["payload"], json.loads(moved))
    return Taken(
        Notification(**row), email, name, status, json.loads(profile), organization, newer, wants_mail
    )


def _as_moved(kind: str, facts: dict, news: dict) -> dict:
    """What is told of a booking, with the time and place that its person was told of meanwhile: who reads an
    old message last must not go to the old place."""
    known = OF_THE_PLACE if kind in WITH_SEATS else OF_THE_PLACE - {"online_url"}
    rest = {name: fact for name, fact in facts.items() if name not in known}
    return rest | {name: fact for name, fact in news.items() if name in known}
