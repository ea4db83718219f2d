"""Delivering: a notification to its person's mail and inbox.

Told by row, not by message: `take` leases the rows that are still to be delivered, so a message that comes
twice, or too late, does nothing. Each mail is marked as soon as the server has taken it; whatever ends this
process in between costs the mails in hand (one a connection), and only those that the server had taken. Where
the database does not answer then, the room keeps what is to be marked (`mark_taken`). However long the server
takes for a mail, its row stays leased.

    delivered  the mail server took it; or it stays in the inbox, which alone was wanted, or because it
               reminds of what has begun; or newer news of the same booking or event was delivered before
               (superseded)
    pending    the server was away, or refused for now, or it cannot be put into words, which a new version
               of this program may mend: later, each time twice as late
    failed     refused for good, tried too often, or nobody to write to
"""

import logging
import random
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.conf import settings

from notifications import counts, mail, states, wording
from notifications.models import Notification
from notifications.post import MailServerAway, NotNow, Refused
from notifications.post_room import PostRoom, Unwritable
from notifications.taking import Taken, take
from orgs.crash_points import crash_point
from orgs.log_facts import said_with
from orgs.models import User

FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=6)
AWAY_WAIT = timedelta(seconds=30)  # while the server is away, which is no attempt
BREATH = 1.0  # seconds between two calls of `between`, at most
IN_HAND = states.SENDER_LEASE / 2  # so long rows wait for their turn, then all are asked for anew

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
    mark_taken(room, now=clock())
    while ids and not stopping():
        taken = take(ids, now=clock())
        crash_point("sender:taken")
        ids = _Batch(taken, room, clock, outcome).work(between=between, stopping=stopping)
    outcome.undone = ids
    return outcome


def mark_taken(room: PostRoom[Taken], *, now: datetime) -> list[Taken]:
    """Write down which mails the server took. If that fails, the room keeps them for the next time, which
    must come before anything else is taken in hand."""
    taken = [*room.unmarked]
    _mark(taken, now=now)
    room.unmarked.clear()
    return taken


class _Batch:
    """Rows of one lease."""

    def __init__(
        self, taken: list[Taken], room: PostRoom, clock: Callable[[], datetime], outcome: Outcome
    ) -> None:
        self.taken, self.room, self.clock, self.outcome = taken, room, clock, outcome
        self.lease = taken[0].notification.lease_until if taken else None

    def work(self, *, between: Callable[[], None], stopping: Callable[[], bool]) -> list[UUID]:
        """Deliver while what was read of the rows is fresh; returns the ids that were let go."""
        until = time.monotonic() + IN_HAND.total_seconds()
        rest, in_hand = self._by_window(self._without_mail()), {}
        try:
            while in_hand or any(rest):
                between()
                if stopping() or time.monotonic() > until:
                    if not in_hand:
                        break
                else:
                    self._hand_in(rest, in_hand)
                self._settle(in_hand, rest)
        finally:
            left = self._finish(in_hand, rest)
        return left

    def _finish(self, in_hand: dict[int, Taken], rest: list[deque[Taken]]) -> list[UUID]:
        try:
            while in_hand:
                self._settle(in_hand, rest)
            left = [one.notification.pk for window in rest for one in window]
            states.let_go(left, lease=self.lease)
        finally:
            while in_hand:  # though the database is away: the mail server is not
                self._collect(in_hand)
        return left

    def _without_mail(self) -> list[Taken]:
        """Settle what needs no mail; returns the others."""
        overtaken = {one.notification.pk: one.newer for one in self.taken if one.newer}
        states.overtaken(overtaken, lease=self.lease, now=self.clock())
        counts.became("superseded", (one.notification for one in self.taken if one.newer))
        open_ones = [one for one in self.taken if not one.newer]
        lost = [one for one in open_ones if not one.email or one.person_status == User.Status.ERASED]
        states.failed(
            _ids(lost), lease=self.lease, now=self.clock(), reason="The person has left; there is no address."
        )
        counts.became("failed", (one.notification for one in lost))
        now = self.clock()
        inbox = [
            one
            for one in open_ones
            if one not in lost and (not one.wants_mail or _is_late(one.notification, now=now))
        ]
        _mark(inbox, now=now)
        self._count(inbox)
        return [one for one in open_ones if one not in lost and one not in inbox]

    def _by_window(self, ones: list[Taken]) -> list[deque[Taken]]:
        rest = [deque() for _ in range(self.room.size)]
        for one in ones:
            rest[self.room.window_of(one.notification.user_id)].append(one)
        return rest

    def _hand_in(self, rest: list[deque[Taken]], in_hand: dict[int, Taken]) -> None:
        """Give every window that is free its next mail."""
        for window, ones in enumerate(rest):
            if ones and window not in in_hand:
                in_hand[window] = one = ones.popleft()
                with _said_of(one):
                    self.room.hand_in(window, one, partial(mail.compose, one))

    def _settle(self, in_hand: dict[int, Taken], rest: list[deque[Taken]]) -> None:
        """Write down what became of the mails that are settled, before their windows get another."""
        refused = self._collect(in_hand)
        self._count(mark_taken(self.room, now=self.clock()))
        for one, error in refused:
            with _said_of(one):
                self._refused(one, error)
        self._hold(in_hand, rest)

    def _collect(self, in_hand: dict[int, Taken]) -> list[tuple[Taken, Exception]]:
        """Wait for mails that are settled. Those that were taken are the room's `unmarked` from now on, the
        others are returned."""
        refused = []
        for one, error in self.room.settled(len(in_hand), within=BREATH):
            del in_hand[self.room.window_of(one.notification.user_id)]
            if error:
                refused.append((one, error))
            else:
                self.room.unmarked.append(one)
        return refused

    def _hold(self, in_hand: dict[int, Taken], rest: list[deque[Taken]]) -> None:
        """Where the server takes long: nobody else may take what is still in our hands."""
        now = self.clock()
        if now > self.lease - states.SENDER_LEASE / 2:
            ours = [*in_hand.values(), *(one for window in rest for one in window)]
            until = now + states.SENDER_LEASE
            states.hold(_ids(ours), lease=self.lease, until=until)
            self.lease = until

    def _refused(self, one: Taken, error: Exception) -> None:
        match error:
            case MailServerAway():
                self.outcome.server_is_away = True
                due_at = self.clock() + AWAY_WAIT * _spread()
                row_id, reason = one.notification.pk, str(error)
                states.postpone([row_id], lease=self.lease, due_at=due_at, reason=reason, counted=False)
                counts.became("away", [one.notification])
            case NotNow() | Unwritable():
                self._not_now(one, str(error))
            case Refused():
                self._failed(one, str(error))
            case _:
                raise error

    def _not_now(self, one: Taken, reason: str) -> None:
        row = one.notification
        if row.attempts >= settings.DELIVERY_TRIES:
            self._failed(one, f"Tried {row.attempts} times. {reason}")
        else:
            due_at = self.clock() + wait_after(row.attempts)
            states.postpone([row.pk], lease=self.lease, due_at=due_at, reason=reason)
            counts.became("postponed", [row])

    def _count(self, ones: list[Taken]) -> None:
        self.outcome.delivered += len(ones)
        self.outcome.in_bulk += sum(one.notification.in_bulk for one in ones)

    def _failed(self, one: Taken, reason: str) -> None:
        logger.warning("Notification %s has failed. %s", one.notification.pk, reason)
        states.failed([one.notification.pk], lease=self.lease, now=self.clock(), reason=reason)
        counts.became("failed", [one.notification])


def _is_late(row: Notification, *, now: datetime) -> bool:
    """Whether it reminds of what has begun."""
    if row.type != Notification.Type.EVENT_REMINDER:
        return False
    try:
        starts_at = wording.moment_of(row.payload, "starts_at")
        return starts_at is not None and starts_at <= now
    except (TypeError, ValueError):  # no moment: it cannot be put into words either, which says so
        return False


def _mark(ones: list[Taken], *, now: datetime) -> None:
    states.told(_ids(ones), now=now)
    counts.delivered((one.notification for one in ones), now=now)


def wait_after(attempts: int) -> timedelta:
    """How long a notification waits after so many attempts, each time twice as long, and not all together."""
    return min(FIRST_WAIT * 2 ** max(0, min(attempts - 1, 20)), LONGEST_WAIT) * _spread()


def _said_of(one: Taken) -> AbstractContextManager:
    return said_with(notification=one.notification.pk, organization=one.notification.org_id)


def _spread() -> float:
    return random.uniform(1, 1.5)  # noqa: S311 - nothing secret


def _ids(taken: Iterable[Taken]) -> list[UUID]:
    return [one.notification.pk for one in taken]
