"""The door through which a message owed to a person enters: a row beside the fact it tells of.

Written in the caller's transaction, so that both stand or neither. A row that says the same thing to the
same person as one that is there (`dedupe_key`) is not written again. Once it is committed, the person's open
pages show that there is something new.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction
from uuid_utils.compat import uuid7

from notifications import live
from orgs.nudge import nudge

DRAIN = "notifications.drain_outbox"  # the relay's task
IN_BULK = ("event_updated", "event_cancelled", "event_reminder")


class NoTransaction(RuntimeError):
    """A message must be owed in the same transaction as the fact that it tells of."""


@dataclass(frozen=True, kw_only=True)
class Owed:
    """One message to one person.

    `payload` holds facts as they are now (title, place, times, seats), never a name or an address: those
    are read when the message is delivered. `dedupe_key` names what is told to whom.
    """

    type: str
    user_id: UUID
    dedupe_key: str
    payload: dict = field(default_factory=dict)
    due_at: datetime | None = None
    org_id: UUID | None = None
    event_id: UUID | None = None
    booking_id: UUID | None = None
    in_bulk: bool = False


def enqueue(messages: list[Owed], *, now: datetime) -> None:
    """Write pending rows for `messages`, due now where they do not say when; the commit wakes the relay.

    Raises:
        NoTransaction: no transaction is open.
    """
    if not connection.in_atomic_block:
        raise NoTransaction("outbox.enqueue needs the transaction of the change that it tells of.")
    if not messages:
        return
    rows = [
        {
            "id": uuid7(),
            "user_id": message.user_id,
            "type": message.type,
            "payload": message.payload,
            "dedupe_key": message.dedupe_key,
            "org_id": message.org_id,
            "event_id": message.event_id,
            "booking_id": message.booking_id,
            "in_bulk": message.in_bulk or message.type in IN_BULK,
            "due_at": (message.due_at or now).isoformat(),
        }
        for message in messages
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO notifications (
                id, user_id, type, status, payload, dedupe_key, org_id, event_id, booking_id,
                in_bulk, due_at, created_at, updated_at
            )
            SELECT id, user_id, type, 'pending', payload, dedupe_key, org_id, event_id, booking_id,
                   in_bulk, due_at, %(now)s, %(now)s
            FROM jsonb_to_recordset(%(rows)s::jsonb) AS message (
                id uuid, user_id uuid, type text, payload jsonb, dedupe_key text, org_id uuid, event_id uuid,
                booking_id uuid, in_bulk boolean, due_at timestamptz
            )
            ON CONFLICT (dedupe_key) DO NOTHING
            """,
            # One document is written and read in a fraction of the time that an array for each column takes.
            {"now": now, "rows": json.dumps(rows, cls=DjangoJSONEncoder)},
        )
    transaction.on_commit(_wake_the_relay, robust=True)
    live.nudge_people(message.user_id for message in messages)


def _wake_the_relay() -> None:
    nudge(DRAIN)
