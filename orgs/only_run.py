"""One run of a thing at a time, whoever starts it: a worker, another worker, or somebody by hand.

A lock of PostgreSQL's that belongs to the connection: it outlasts transactions, and ends with whoever held
it. So it needs a connection of one's own; behind a pooler by transaction it would stay on somebody else's.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from zlib import crc32

from django.db import InterfaceError, OperationalError, connection

CLASS = 0x4A0B  # of PostgreSQL's advisory locks: those by name
PAUSE = 0.2  # seconds between two tries


@contextmanager
def only_run(name: str, *, patience: float = 0.0) -> Iterator[bool]:
    """Whether no other run of this name is under way; waits up to `patience` seconds for its end."""
    ends = time.monotonic() + patience
    while not (is_ours := _try(name)) and time.monotonic() < ends:
        time.sleep(PAUSE)
    try:
        yield is_ours
    finally:
        if is_ours:
            _let_go(name)


def key(name: str) -> tuple[int, int]:
    """The two numbers by which PostgreSQL knows the lock."""
    return CLASS, crc32(name.encode()) - 2**31


def _let_go(name: str) -> None:
    try:
        _ask("SELECT pg_advisory_unlock(%s, %s)", name)
    except (OperationalError, InterfaceError):
        connection.close()  # it was lost, and the lock with it


def _try(name: str) -> bool:
    return _ask("SELECT pg_try_advisory_lock(%s, %s)", name)


def _ask(question: str, name: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(question, key(name))
        return cursor.fetchone()[0]
