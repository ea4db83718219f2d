"""Where somebody came too late a moment ago, the next is likely to, too: this process remembers for which
events, and asks the counter about those before it asks who somebody is. It is never the answer itself.
"""

import threading
from collections import OrderedDict
from time import monotonic
from uuid import UUID

LATELY = 10.0  # seconds
MOST = 10_000  # events

_lock = threading.Lock()  # comparing ids is Python's work, in whose midst another thread may have its turn
_until: OrderedDict[UUID, float] = OrderedDict()


def note(event_id: UUID) -> None:
    """Somebody has come too late for this event."""
    with _lock:
        _until[event_id] = monotonic() + LATELY
        _until.move_to_end(event_id)
        while len(_until) > MOST:
            _until.popitem(last=False)


def came_lately(event_id: UUID) -> bool:
    return _until.get(event_id, 0.0) > monotonic()
