"""Who does the work for whom: of the threads that want the same thing, one does it for all that wait.

A row lock held through a commit lets one transaction at a time through. So the requests of one process for
one event take turns: whoever comes first leads, and once it holds the lock it gathers everybody who has come
meanwhile, answers them in the order in which they came, in one transaction, and hands the lead to the first
of those who came too late. Nothing is passed between processes, so there is no new way to fail; who comes
alone leads at once and waits for nobody.

This file knows threads and no bookings; what is done in a turn is a function.
"""

import threading
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

PATIENCE = 5.0  # seconds until who waits gives up
MOST_AT_ONCE = 100


class TurnNeverCame(Exception):
    """The request waited too long and was taken out of the line; it was not looked at."""


class LeaderLost(Exception):
    """Whoever led was ended in the middle; it is not known what became of the request."""


@dataclass(eq=False)
class Ticket:
    """One request on its way: afterwards either `answer` or `error` says what became of it."""

    request: Any
    answer: Any = None
    error: BaseException | None = None
    leads: bool = False
    settled: bool = False
    _called: threading.Event = field(default_factory=threading.Event)

    def settle(self, *, answer: Any = None, error: BaseException | None = None) -> None:
        self.answer, self.error, self.settled = answer, error, True
        self._called.set()

    def lead(self) -> None:
        self.leads = True
        self._called.set()

    def wait(self, seconds: float | None) -> bool:
        return self._called.wait(seconds)

    def result(self) -> Any:
        if self.error is not None:
            raise self.error
        return self.answer


Gather = Callable[[], list[Ticket]]


class Turns:
    """Turns at many things, by key.

    Args:
        serve: called by the leading thread as serve(key, gather). Once it has the lock it calls `gather`
            for the tickets to deal with, its own among them, and settles each.
    """

    def __init__(self, serve: Callable[[Hashable, Gather], None]):
        self._serve = serve
        self._lock = threading.Lock()
        self._waiting: dict[Hashable, deque[Ticket]] = {}  # a key is there while somebody has its turn

    def ask(self, key: Hashable, request: Any) -> Any:
        """What `serve` answers to `request`.

        Raises:
            TurnNeverCame: others took too long.
            LeaderLost: who led was ended; and whatever `serve` settles the ticket with.
        """
        ticket = Ticket(request)
        with self._lock:
            line = self._waiting.get(key)
            if line is None:
                self._waiting[key] = deque([ticket])
                ticket.leads = True
            else:
                line.append(ticket)
        try:
            if not ticket.leads and not ticket.wait(PATIENCE) and self._withdrawn(key, ticket):
                raise TurnNeverCame
            if not ticket.leads and not ticket.settled:
                ticket.wait(None)  # gathered already: its answer is being made
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
                while line and len(gathered) < MOST_AT_ONCE:
                    gathered.append(line.popleft())
            return gathered

        try:
            self._serve(key, gather)
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
