"""What is known of the work at hand, to be said with every line that is logged meanwhile: ids, never names.

A request brings its id, its person's and its organization's, a task its name, the sender the message. Kept
for the thread that works; facts of an inner piece of work are added to those of the outer one.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

_facts: ContextVar[Mapping[str, object]] = ContextVar("log_facts", default=MappingProxyType({}))


@contextmanager
def said_with(**facts: object) -> Iterator[None]:
    """Say these facts with what is logged in the block. One that is a function is asked when a line is
    written."""
    token = _facts.set({**_facts.get(), **facts})
    try:
        yield
    finally:
        _facts.reset(token)


def known() -> dict[str, object]:
    """The facts at this moment, without those that there are not."""
    facts = {name: fact() if callable(fact) else fact for name, fact in _facts.get().items()}
    return {name: str(fact) for name, fact in facts.items() if fact is not None}
