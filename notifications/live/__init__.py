"""The door to live updates: whoever looks at a page sees at once what has changed.

Nice to have, never needed. A caller says *that* something changed, not what it is now; the live process
(`notifications.live.server`) reads the state of whatever is being looked at, so it is never older than the
last change. Nothing here raises, waits for Redis, or takes longer than putting an id into a set.
"""

import atexit
from collections.abc import Iterable
from uuid import UUID

from django.conf import settings
from django.db import transaction

from notifications.live.announcer import Announcer

EVENTS, PEOPLE = "events", "people"
ANNOUNCER = Announcer(settings.LIVE_REDIS_URL, settings.LIVE_CHANNEL)
atexit.register(ANNOUNCER.finish)

__all__ = ["nudge_people", "show_event"]


def nudge_people(user_ids: Iterable[UUID]) -> None:
    """Something is new for these people: once the transaction is committed their open pages say so."""
    ids = tuple(user_ids)
    if ids:
        transaction.on_commit(lambda: ANNOUNCER.announce(PEOPLE, ids), robust=True)


def show_event(event_id: UUID) -> None:
    """An event's public state (seats, line, status) changes: once the transaction is committed whoever looks
    at its page sees the new one, at most four times a second, and the last one surely."""
    transaction.on_commit(lambda: ANNOUNCER.announce(EVENTS, (event_id,)), robust=True)
