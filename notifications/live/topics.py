"""What can be watched. Each app says what of its own: a source, and how to read it."""

import json
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder


@dataclass(frozen=True, eq=False)
class Source:
    """A kind of thing whose state can be watched.

    Args:
        name: as the door announces it (`live.EVENTS`), and as a stream names what it sends.
        read: called in a thread as read(topics), for many at once; returns the whole state, now, of each
            that there is. A topic that it leaves out is gone, and its streams end.
    """

    name: str
    read: Callable[[list["Topic"]], dict["Topic", dict]]


@dataclass(frozen=True, slots=True)
class Topic:
    """One thing to watch, or one aspect of it (`variant`): a part of a seat map, a language."""

    source: Source
    subject: UUID
    variant: Hashable = None


def frame(source: Source, state: dict) -> bytes:
    """A state as an event of a stream. JSON has no line breaks, so it is one line of data."""
    return f"event: {source.name}\ndata: {json.dumps(state, cls=DjangoJSONEncoder)}\n\n".encode()
