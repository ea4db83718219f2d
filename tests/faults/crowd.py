"""Many visitors at once: they book, wait and give back, and what each was told at last is kept."""

import threading
import time
from collections.abc import Iterable, Sequence
from uuid import UUID

from tests.faults.visitor import PATIENCE, PAUSE, Address, Line, Visitor


class Crowd:
    """A bounded number of visitors who come `at_once` at a time, each for one party; begins at once.

    Args:
        parties: how many seats each visitor wants; as many visitors come as there are parties.
        servers: where they go: the first to the first, the next to the second, and so on.
        leaving: one in so many gives back what they got, a place in line too, as soon as they have it.
    """

    def __init__(
        self,
        visitors: Iterable[Visitor],
        event_id: UUID,
        servers: Sequence[Address],
        *,
        parties: Sequence[int],
        at_once: int = 16,
        or_wait: bool = False,
        leaving: int | None = None,
    ) -> None:
        self.event_id, self.servers, self.or_wait = event_id, list(servers), or_wait
        self._leaving = leaving
        self._to_come = list(enumerate(zip(visitors, parties, strict=False)))[::-1]
        self.size = len(self._to_come)
        self.answers: list[tuple[Visitor, Line]] = []
        self.errors: list[BaseException] = []
        self._changed = threading.Condition()
        self._threads = [threading.Thread(target=self._come, daemon=True) for _ in range(at_once)]
        for thread in self._threads:
            thread.start()

    def wait_for_answers(self, count: int, seconds: float = PATIENCE) -> None:
        """Until so many have their answer. Raises TimeoutError."""
        with self._changed:
            enough = self._changed.wait_for(lambda: len(self.answers) >= count or self.errors, seconds)
        if not enough:
            raise TimeoutError(f"{len(self.answers)} of {self.size} have an answer after {seconds:.0f} s")

    def join(self) -> list[Line]:
        """Everybody's last answer, once all have gone home."""
        for thread in self._threads:
            thread.join()
        if self.errors:
            raise self.errors[0]
        return [line for _, line in self.answers]

    def _come(self) -> None:
        while True:
            with self._changed:
                if not self._to_come or self.errors:
                    return
                number, (visitor, seats) = self._to_come.pop()
            turn = number % len(self.servers)
            servers = self.servers[turn:] + self.servers[:turn]
            try:
                form = visitor.open(self.event_id, servers, seats=seats, or_wait=self.or_wait)
                line = visitor.send(self.event_id, form, servers)
                if line.status == 303 and self._leaving and number % self._leaving == 0:
                    visitor.cancel(line, servers)
            except BaseException as error:  # told by `join`
                with self._changed:
                    self.errors.append(error)
                    self._changed.notify_all()
                return
            finally:
                visitor.close()
            with self._changed:
                self.answers.append((visitor, line))
                self._changed.notify_all()


def come_again(
    answers: Iterable[tuple[Visitor, Line]], event_id: UUID, servers: Sequence[Address], *, until
) -> bool:
    """Let those who were turned away ask anew, smallest parties first, until `until()`; False if it did not
    come true in time."""
    turned_away = sorted(
        ((visitor, line) for visitor, line in answers if line.status == 409), key=lambda each: each[1].seats
    )
    deadline = time.monotonic() + PATIENCE
    while not until():
        if time.monotonic() > deadline:
            return False
        for visitor, line in turned_away:
            again = visitor.send(event_id, visitor.open(event_id, servers, seats=line.seats), servers)
            visitor.close()
            if again.status == 303:
                turned_away.remove((visitor, line))
                break
        time.sleep(PAUSE)
    return True
