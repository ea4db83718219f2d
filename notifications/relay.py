"""The relay: what is owed and due goes to the broker, page after page.

    claim (committed) -> publish, all in flight -> mark what the broker confirmed as sent

Nothing is locked while the broker is asked. Killed between two steps the relay leaves a lease behind, and
when it ends the row is claimed anew: at worst a message goes twice, and the sender knows the row. What the
broker returns or refuses is kept, due a little later, and counts as no attempt: the fault is the house's,
not the message's.

Two lanes. Who is told of what they did themselves goes first; what one change owes to many (`in_bulk`)
goes only as far as the queue is short, so that whoever books now waits behind some hundred messages at
most, however many are owed. All that the queue does not hold yet waits in the table.
"""

import logging
import random
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from notifications import states, transport
from orgs.crash_points import crash_point

PAGE = 2_000
QUEUE_ROOM = 20_000  # messages that may wait at the broker at all
BULK_ROOM = 500  # of which so many may be there when one that is in bulk is added
RUN_SECONDS = 30.0  # after which a run ends even where more is due: the next one goes on
KEPT = timedelta(seconds=5)  # until the broker is offered again what it did not take

logger = logging.getLogger(__name__)


def drain(*, clock: Callable[[], datetime], seconds: float = RUN_SECONDS) -> int:
    """Publish what is due, for at most about `seconds`; returns how many messages the broker took.

    Raises:
        BrokerAway: it does not answer; what was in hand is kept.
    """
    sent, deadline = 0, time.monotonic() + seconds
    if not states.is_anything_due(now=clock()):
        return sent
    with transport.to_the_sender() as line:
        while time.monotonic() < deadline and (page := _next_page(waiting=line.waiting(), now=clock())):
            sent += _publish(page, line, clock=clock)
    return sent


class Page:
    def __init__(self, claimed: list[states.Claimed], lease: datetime) -> None:
        self.claimed, self.lease = claimed, lease


def _next_page(*, waiting: int, now: datetime) -> Page | None:
    """The next rows, those of people's own doing first, as far as there is room in the queue."""
    claimed = states.claim(in_bulk=False, most=min(PAGE, QUEUE_ROOM - waiting), now=now)
    room = min(PAGE, BULK_ROOM - waiting) - len(claimed)
    claimed += states.claim(in_bulk=True, most=room, now=now)
    crash_point("relay:claimed")
    return Page(claimed, now + states.RELAY_LEASE) if claimed else None


def _publish(page: Page, line: transport.Line, *, clock: Callable[[], datetime]) -> int:
    rows = {str(row.id): row for row in page.claimed}
    settled = line.publish((message_id, row.type) for message_id, row in rows.items())
    crash_point("relay:published")
    now = clock()
    states.handed_over([rows[each].id for each in settled.sent], lease=page.lease, now=now)
    for reason in set(settled.refused.values()):
        refused = [rows[each].id for each, why in settled.refused.items() if why == reason]
        logger.warning("%d messages were not sent and will be offered again. %s.", len(refused), reason)
        states.keep(refused, lease=page.lease, due_at=_a_little_later(now), reason=reason)
    if settled.trouble:
        unsettled = [row.id for each, row in rows.items() if each not in {*settled.sent, *settled.refused}]
        states.keep(unsettled, lease=page.lease, due_at=_a_little_later(now), reason=str(settled.trouble))
        raise settled.trouble
    return len(settled.sent)


def _a_little_later(now: datetime) -> datetime:
    return now + KEPT * random.uniform(1, 2)  # noqa: S311 - so that not all come at once; nothing secret
