"""Delivering: a notification to its person's mail and inbox.

Told by row, not by message: `take` leases the rows that are still to be delivered, so a message that comes
twice, or too late, does nothing. Each mail is marked as soon as the server has taken it; whatever ends this
process in between costs one mail that goes twice, and only if the server had taken it.

    delivered  the mail server took it; or the inbox alone was wanted; or the person is suspended and finds
               it in the inbox; or newer news of the same booking or event was delivered before (superseded)
    pending    the server was away, or refused for now, or it cannot be put into words, which a new version
               of this program may mend: later, each time twice as late
    failed     refused for good, tried too often, or nobody to write to
"""

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings

from notifications import mail, states
from notifications.post import MailServerAway, NotNow, Post, Refused
from notifications.preferences import mail_refused
from notifications.states import Taken
from orgs.crash_points import crash_point
from orgs.models import User

FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=6)
AWAY_WAIT = timedelta(seconds=30)  # while the server is away, which is no attempt
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
    post: Post,
    clock: Callable[[], datetime],
    between: Callable[[], None] = lambda: None,
    stopping: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Deliver those of these notifications that are still to be delivered.

    Args:
        between: called before each one, to keep alive what must be; where it raises, the rest is let go.
        stopping: whether to end after the one in hand.
    """
    outcome = Outcome()
    while ids and not stopping():
        taken = states.take(ids, now=clock())
        crash_point("sender:taken")
        ids = _Batch(taken, post, clock, outcome).work(between=between, stopping=stopping)
    outcome.undone = ids
    return outcome


class _Batch:
    """Rows of one lease."""

    def __init__(
        self, taken: list[Taken], post: Post, clock: Callable[[], datetime], outcome: Outcome
    ) -> None:
        self.taken, self.post, self.clock, self.outcome = taken, post, clock, outcome
        self.lease = taken[0].notification.lease_until if taken else None

    def work(self, *, between: Callable[[], None], stopping: Callable[[], bool]) -> list[UUID]:
        """Deliver one after the other while the lease is young; returns the ids that were let go."""
        until = time.monotonic() + IN_HAND.total_seconds()
        rest = self._without_mail()
        try:
            while rest and not stopping() and time.monotonic() < until:
                between()
                self._deliver(rest.pop(0))
        except BaseException:
            states.let_go(_ids(rest), lease=self.lease)
            raise
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

    def _deliver(self, one: Taken) -> None:
        row = one.notification
        try:
            letter = mail.compose(one)
        except Exception as error:  # whatever is wrong with one payload must not hold up the others
            logger.exception("Notification %s cannot be put into words.", row.pk)
            self._not_now(one, f"It cannot be put into words: {type(error).__name__}: {error}")
            return
        try:
            self.post.send(letter)
        except MailServerAway as away:
            self.outcome.server_is_away = True
            due_at = self.clock() + AWAY_WAIT * _spread()
            states.postpone([row.pk], lease=self.lease, due_at=due_at, reason=str(away), counted=False)
        except NotNow as refusal:
            self._not_now(one, str(refusal))
        except Refused as refusal:
            self._failed(one, str(refusal))
        else:
            crash_point("sender:mailed")
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


def _ids(taken: list[Taken]) -> list[UUID]:
    return [one.notification.pk for one in taken]
