"""The relay: what is owed and due goes to the broker, page after page.

    claim (committed) -> send, all in flight -> settle -> mark what the broker confirmed as sent

Nothing is locked while the broker is asked, and neither waits for the other: while it takes one page, the
table marks the one before and claims the one after. Killed between two steps the relay leaves leases behind,
and when they end the rows are claimed anew: at worst a message goes twice, and the sender knows the row. What
the broker returns or refuses is kept, due a little later, and counts as no attempt: the fault is the house's,
not the message's.

Two lanes. Who is told of what they did themselves goes first; what one change owes to many (`in_bulk`)
goes only as far as the queue is short, so that whoever books now waits behind some hundred messages at
most, however many are owed. All that the queue does not hold yet waits in the table.
"""

import logging
import random
import time
from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime, timedelta
from uuid import UUID

from notifications import states, transport
from notifications.broker import BrokerAway, Settled
from notifications.lookout import Lookout
from orgs.crash_points import crash_point
from orgs.only_run import only_run

PAGE = 1_000
QUEUE_ROOM = 20_000  # messages that may wait at the broker at all
BULK_ROOM = 500  # of which so many may be there when one that is in bulk is added
LOOK_AGAIN = 0.1  # seconds between two looks of a relay that stays
RUN_SECONDS = 30.0  # after which a run ends even where more is due: the next one goes on
KEPT = timedelta(seconds=5)  # until the broker is offered again what it did not take

LOOKOUT = Lookout()
logger = logging.getLogger(__name__)


def drain(*, clock: Callable[[], datetime], seconds: float = RUN_SECONDS, stay: float = 0.0) -> int:
    """Publish what is due, for at most about `seconds`; returns how many messages the broker took.

    Args:
        stay: seconds to look for more after the last that was found, where no other relay does. In a rush
            that makes pages of what would else be a run, with a connection of its own, for a few messages.

    Raises:
        BrokerAway: it does not answer; what was in hand is kept.
    """
    if not LOOKOUT.sees_anything(now=clock()):
        return 0
    deadline = time.monotonic() + seconds
    with transport.to_the_sender() as line:
        sent = _drain(line, clock=clock, is_over=lambda: time.monotonic() > deadline)
        with only_run("the relay that stays") if stay else nullcontext(False) as stays:
            while stays and _more_comes(clock=clock, until=min(time.monotonic() + stay, deadline)):
                sent += _drain(line, clock=clock, is_over=lambda: time.monotonic() > deadline)
    return sent


def _more_comes(*, clock: Callable[[], datetime], until: float) -> bool:
    while time.monotonic() < until:
        time.sleep(LOOK_AGAIN)
        if LOOKOUT.sees_anything(now=clock()):
            return True
    return False


def _drain(line: transport.Line, *, clock: Callable[[], datetime], is_over: Callable[[], bool]) -> int:
    sent, waiting, done, pages = 0, line.waiting(), None, Pages(begins=LOOKOUT.begins)
    ahead = pages.next(waiting=waiting, now=clock())
    while page := ahead or (None if is_over() else pages.next(waiting=waiting, now=clock())):
        line.send(page.messages())
        if done:
            done.mark(now=clock())
        ahead = None if is_over() else pages.next(waiting=waiting + len(page.rows), now=clock())
        page.settled = line.settle()
        crash_point("relay:published")
        sent, waiting, done = sent + len(page.settled.sent), page.settled.waiting, page
        if trouble := page.settled.trouble:
            for each in filter(None, [page, ahead]):
                each.mark(now=clock(), trouble=trouble)
            raise trouble
    if done:
        done.mark(now=clock())
    return sent


class Page:
    """Rows of one claim, and what the broker says of them."""

    def __init__(self, claimed: list[states.Claimed], lease: datetime) -> None:
        self.rows, self.lease = {str(row.id): row for row in claimed}, lease
        self.settled = Settled()

    def messages(self) -> list[tuple[str, str]]:
        return [(message_id, row.type) for message_id, row in self.rows.items()]

    def mark(self, *, now: datetime, trouble: BrokerAway | None = None) -> None:
        """What was confirmed is sent, what was refused is kept, and because of `trouble` the rest is too."""
        states.handed_over(self._ids(self.settled.sent), lease=self.lease, now=now)
        for reason in set(self.settled.refused.values()):
            refused = [each for each, why in self.settled.refused.items() if why == reason]
            logger.warning("%d messages were not sent and will be offered again. %s.", len(refused), reason)
            self._keep(refused, reason=reason, now=now)
        if trouble:
            known = {*self.settled.sent, *self.settled.refused}
            self._keep([each for each in self.rows if each not in known], reason=str(trouble), now=now)

    def _keep(self, messages: list[str], *, reason: str, now: datetime) -> None:
        states.keep(self._ids(messages), lease=self.lease, due_at=_a_little_later(now), reason=reason)

    def _ids(self, messages: list[str]) -> list[UUID]:
        return [self.rows[each].id for each in messages]


class Pages:
    """What is due, page by page, as one run of the relay claims it.

    What was claimed in this run lies behind and is not looked through again: until it is cleaned up, the
    index still has an entry for each row of a hundred pages. A row that is committed late, with a moment that
    lies behind, is found by the next run, which begins where the lookout does (`begins`). A page with room
    left is the last: in a rush each has a handful, and to ask once more whether that was all takes longer
    than to send them.
    """

    def __init__(self, *, begins: datetime) -> None:
        self._are_all = False
        self._reached = dict.fromkeys((False, True), (begins, states.FIRST_ID))

    def next(self, *, waiting: int, now: datetime) -> Page | None:
        """The next rows, those of people's own doing first, as far as there is room in the queue."""
        if self._are_all:
            return None
        page = transport.at_once(PAGE)
        room = min(page, QUEUE_ROOM - waiting)
        own = self._claim(False, most=room, now=now)
        room_in_bulk = min(page, BULK_ROOM - waiting) - len(own)
        in_bulk = self._claim(True, most=room_in_bulk, now=now)
        self._are_all = len(own) < room and len(in_bulk) < room_in_bulk
        crash_point("relay:claimed")
        return Page(own + in_bulk, now + states.RELAY_LEASE) if own or in_bulk else None

    def _claim(self, in_bulk: bool, *, most: int, now: datetime) -> list[states.Claimed]:
        reached = self._reached[in_bulk]
        claimed = states.claim(in_bulk=in_bulk, most=most, now=now, behind=reached)
        self._reached[in_bulk] = max((row.place for row in claimed), default=reached)
        return claimed


def _a_little_later(now: datetime) -> datetime:
    return now + KEPT * random.uniform(1, 2)  # noqa: S311 - so that not all come at once; nothing secret
