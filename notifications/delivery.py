"""Delivering: a notification to its person's mail and inbox.

Told by row, not by message: `take` leases the rows that are still to be delivered, so a message that comes
twice, or too late, does nothing. Each mail is marked as soon as the server has taken it; whatever ends this
process in between costs the mails in hand (one a connection), and only those that the server had taken.

    delivered  the mail server took it; or the inbox alone was wanted; or the person is suspended and finds
               it in the inbox; or newer news of the same booking or event was delivered before (superseded)
    pending    the server was away, or refused for now, or it cannot be put into words, which a new version
               of this program may mend: later, each time twice as late
    failed     refused for good, tried too often, or nobody to write to
"""

import logging
import random
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.conf import settings

from notifications import mail, states
from notifications.post import MailServerAway, NotNow, Refused
from notifications.post_room import PostRoom, Unwritable
from notifications.preferences import mail_refused
from notifications.states import Taken
from orgs.crash_points import crash_point
from orgs.models import User

FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=6)
AWAY_WAIT = timedelta(seconds=30)  # while the server is away, which is no attempt
BREATH = 1.0  # seconds between two calls of `between`, at most
IN_HAND = states.SENDER_LEASE / 2  # so long rows are kept in hand before they are leased anew

logger = logging.getLogger(__name__)


@dataclass
class Outcome:
    delivered: int = 0
    in_bulk: int = 0
    undone: list[UUID] = field(default_factory=list)  # let go, because this process was asked to end
    server_is_away: bool = False


def deliver(
    ids: list[UUID],
    *,
    room: PostRoom,
    clock: Callable[[], datetime],
    between: Callable[[], None] = lambda: None,
    stopping: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Deliver those of these notifications that are still to be delivered.

    Args:
        between: called every second or oftener, to keep alive what must be; if it raises, the rest is let go.
        stopping: whether to end after those in hand.
    """
    outcome = Outcome()
    while ids and not stopping():
        taken = states.take(ids, now=clock())
        crash_point("sender:taken")
        ids = _Batch(taken, room, clock, outcome).work(between=between, stopping=stopping)
    outcome.undone = ids
    return outcome


class _Batch:
    """Rows of one lease."""

    def __init__(
        self, taken: list[Taken], room: PostRoom, clock: Callable[[], datetime], outcome: Outcome
    ) -> None:
        self.taken, self.room, self.clock, self.outcome = taken, room, clock, outcome
        self.lease = taken[0].notification.lease_until if taken else None

    def work(self, *, between: Callable[[], None], stopping: Callable[[], bool]) -> list[UUID]:
        """Deliver while the lease is young; returns the ids that were let go."""
        until = time.monotonic() + IN_HAND.total_seconds()
        rest, in_hand = deque(self._without_mail()), {}
        try:
            while in_hand or (rest and not stopping() and time.monotonic() < until):
                between()
                while rest and len(in_hand) < self.room.size and not stopping():
                    one = rest.popleft()
                    in_hand[self.room.hand_in(one.notification.user_id, partial(mail.compose, one))] = one
                for sending in wait(in_hand, timeout=BREATH, return_when=FIRST_COMPLETED).done:
                    self._settle(in_hand.pop(sending), sending)
        finally:
            for sending, one in in_hand.items():
                self._settle(one, sending)
            states.let_go(_ids(rest), lease=self.lease)
        return _ids(rest)

    def _without_mail(self) -> list[Taken]:
        """Settle what needs no mail; returns the others."""
        overtaken = {one.notification.pk: one.newer for one in self.taken if one.newer}
        states.overtaken(overtaken, lease=self.lease, now=self.clock())
        open_ones = [one for one in self.taken if not one.newer]
        lost = [one for one in open_ones if not one.email or one.person_status == User.Status.ERASED]
        states.failed(
            _ids(lost), lease=self.lease, now=self.clock(), reason="The person has left; there is no address."
        )
        unwanted = mail_refused((one.notification.user_id, one.notification.type) for one in open_ones)
        inbox = [
            one
            for one in open_ones
            if one not in lost
            and (
                one.person_status == User.Status.SUSPENDED
                or (one.notification.user_id, one.notification.type) in unwanted
            )
        ]
        self._told(inbox)
        return [one for one in open_ones if one not in lost and one not in inbox]

    def _settle(self, one: Taken, sending: Future) -> None:
        """Write down what became of a mail."""
        try:
            sending.result()
        except MailServerAway as away:
            self.outcome.server_is_away = True
            due_at = self.clock() + AWAY_WAIT * _spread()
            row_id = one.notification.pk
            states.postpone([row_id], lease=self.lease, due_at=due_at, reason=str(away), counted=False)
        except (NotNow, Unwritable) as refusal:
            self._not_now(one, str(refusal))
        except Refused as refusal:
            self._failed(one, str(refusal))
        else:
            self._told([one])

    def _not_now(self, one: Taken, reason: str) -> None:
        row = one.notification
        if row.attempts >= settings.DELIVERY_TRIES:
            self._failed(one, f"Tried {row.attempts} times. {reason}")
        else:
            due_at = self.clock() + wait_after(row.attempts)
            states.postpone([row.pk], lease=self.lease, due_at=due_at, reason=reason)

    def _told(self, ones: list[Taken]) -> None:
        states.told(_ids(ones), now=self.clock())
        self.outcome.delivered += len(ones)
        self.outcome.in_bulk += sum(one.notification.in_bulk for one in ones)

    def _failed(self, one: Taken, reason: str) -> None:
        logger.warning("Notification %s has failed. %s", one.notification.pk, reason)
        states.failed([one.notification.pk], lease=self.lease, now=self.clock(), reason=reason)


def wait_after(attempts: int) -> timedelta:
    """How long a notification waits after so many attempts, each time twice as long, and not all together."""
    return min(FIRST_WAIT * 2 ** max(0, min(attempts - 1, 20)), LONGEST_WAIT) * _spread()


def _spread() -> float:
    return random.uniform(1, 1.5)  # noqa: S311 - nothing secret


def _ids(taken: Iterable[Taken]) -> list[UUID]:
    return [one.notification.pk for one in taken]
