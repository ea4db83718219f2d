"""Who does the work for whom: of the threads that want the same thing, one does it for all that wait.

A row lock held through a commit lets one transaction at a time through. So the requests of one process for
one event take turns: whoever comes first leads, and once it holds the lock it gathers everybody who has come
meanwhile, answers them in the order in which they reached the process, in one transaction, and hands the lead
to the first of those who came too late. Nothing is passed between processes, so there is no new way to fail;
who comes alone leads at once and waits for nobody.

This file knows threads and no bookings; what is done in a turn is a function.
"""

import threading
from bisect import insort
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from operator import attrgetter
from time import monotonic
from typing import Any

PATIENCE = 5.0  # seconds until who waits gives up
AT_LAST = 5.0  # seconds more for an answer that is being made
MOST_AT_ONCE = 100


class TurnNeverCame(Exception):
    """The request waited too long and was taken out of the line; it was not looked at."""


class LeaderLost(Exception):
    """Whoever led was ended in the middle, or does not end; it is not known what became of the request."""


@dataclass(eq=False)
class Ticket:
    """One request on its way: afterwards either `answer` or `error` says what became of it."""

    request: Any
    arrived: float = field(default_factory=monotonic)
    answer: Any = None
    error: BaseException | None = None
    leads: bool = False
    settled: bool = False
    _asked: float = field(default_factory=monotonic)
    _called: threading.Event = field(default_factory=threading.Event)

    def settle(self, *, answer: Any = None, error: BaseException | None = None) -> None:
        self.answer, self.error, self.settled = answer, error, True
        self._called.set()

    def lead(self) -> None:
        self.leads = True
        self._called.set()

    def wait(self, seconds: float | None) -> bool:
        return self._called.wait(seconds)

    @property
    def patience(self) -> float:
        """Seconds that are left until it gives up."""
        return max(self._asked + PATIENCE - monotonic(), 0.0)

    def result(self) -> Any:
        if self.error is not None:
            raise self.error
        return self.answer


Gather = Callable[[], list[Ticket]]
Serve = Callable[[Hashable, Gather, float], None]


class Turns:
    """Turns at many things, by key.

    Args:
        serve: called by the leading thread as serve(key, gather, patience). It waits for the lock for no
            more than `patience` seconds; once it has it, it calls `gather` for the tickets to deal with, its
            own among them, and settles each.
    """

    def __init__(self, serve: Serve):
        self._serve = serve
        self._lock = threading.Lock()
        # Those who wait, in the order in which they arrived; a key is there while somebody has its turn.
        self._waiting: dict[Hashable, list[Ticket]] = {}

    def ask(self, key: Hashable, request: Any, *, arrived: float | None = None) -> Any:
        """What `serve` answers to `request`.

        Args:
            arrived: when it reached the process, by the monotonic clock; now, if nobody knows.

        Raises:
            TurnNeverCame: others took too long.
            LeaderLost: who led was ended or does not end; and whatever `serve` settles the ticket with.
        """
        ticket = Ticket(request) if arrived is None else Ticket(request, arrived)
        with self._lock:
            line = self._waiting.get(key)
            if line is None:
                self._waiting[key] = [ticket]
                ticket.leads = True
            else:
                insort(line, ticket, key=attrgetter("arrived"))
        try:
            if not ticket.leads and not ticket.wait(PATIENCE) and self._withdrawn(key, ticket):
                raise TurnNeverCame
            if not ticket.leads and not ticket.settled and not ticket.wait(PATIENCE + AT_LAST):
                raise LeaderLost  # gathered already: its answer is being made, and does not come
        except BaseException:
            if not self._withdrawn(key, ticket) and ticket.leads:
                self._hand_over(key, ticket)  # ended while it waited: nobody may be left behind it
            raise
        if ticket.leads and not ticket.settled:
            self._lead(key, ticket)
        return ticket.result()

    def _lead(self, key: Hashable, ticket: Ticket) -> None:
        gathered: list[Ticket] = []

        def gather() -> list[Ticket]:
            with self._lock:
                line = self._waiting[key]
                gathered[:] = line[:MOST_AT_ONCE]
                if ticket not in gathered:  # more arrived before it than fit
                    gathered[-1] = ticket
                self._waiting[key] = [each for each in line if each not in gathered]
            return gathered

        try:
            self._serve(key, gather, ticket.patience)
        except BaseException as error:
            for each in gathered or [ticket]:
                if not each.settled:
                    own = each is ticket or isinstance(error, Exception)
                    each.settle(error=error if own else LeaderLost())
            if not isinstance(error, Exception):
                raise
        finally:
            self._hand_over(key, ticket)

    def _hand_over(self, key: Hashable, ticket: Ticket) -> None:
        with self._lock:
            line = self._waiting[key]
            if ticket in line:  # the lock was never had, so nobody was gathered
                line.remove(ticket)
            if line:
                line[0].lead()
            else:
                del self._waiting[key]

    def _withdrawn(self, key: Hashable, ticket: Ticket) -> bool:
        """Take a ticket out of the line, unless it has been gathered or called to lead by now."""
        with self._lock:
            line = self._waiting.get(key, ())
            if ticket.leads or ticket not in line:
                return False
            line.remove(ticket)
            return True
