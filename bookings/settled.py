"""Claims that have become bookings, as the counter has not heard yet.

The next claim at the event tells it, so that no booking has to make a way of its own there.
"""

import threading
from collections import OrderedDict
from time import monotonic
from uuid import UUID

UNDER_WAY = 10  # seconds: a claim that is older than this is no longer under way, whatever became of it
MOST = 10_000  # events

_lock = threading.Lock()
_seats: OrderedDict[UUID, tuple[str, int, float]] = OrderedDict()


def note(event_id: UUID, *, stamp: str, seats: int) -> None:
    """Seats that were claimed of the counter of this stamp have been booked."""
    with _lock:
        of, before, since = _seats.pop(event_id, ("", 0, 0.0))
        more = before if of == stamp and monotonic() - since < UNDER_WAY else 0
        _seats[event_id] = (stamp, seats + more, monotonic())
        while len(_seats) > MOST:
            _seats.popitem(last=False)


def take(event_id: UUID) -> tuple[str, int]:
    """The counter's stamp and how many seats; whoever takes them tells it."""
    if event_id not in _seats:
        return "", 0
    with _lock:
        stamp, seats, since = _seats.pop(event_id, ("", 0, 0.0))
    return (stamp, seats) if monotonic() - since < UNDER_WAY else ("", 0)
