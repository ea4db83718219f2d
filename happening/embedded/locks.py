"""Locks between processes: `flock` on a file, so that the kernel frees them however a holder ends.

The file stays, and means nothing by itself; only the lock counts.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOOK_AGAIN = 0.02


def take(path: Path, *, wait: float = 0) -> int | None:
    """Lock `path` and return the descriptor that holds the lock, or None after `wait` seconds in vain.

    A child that inherits the descriptor holds the lock too, until it ends.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    deadline = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        except BlockingIOError:
            if time.monotonic() >= deadline:
                os.close(descriptor)
                return None
        time.sleep(LOOK_AGAIN)


@contextmanager
def held(path: Path, *, wait: float) -> Iterator[None]:
    """Hold the lock for the length of a block; TimeoutError after `wait` seconds in vain."""
    descriptor = take(path, wait=wait)
    if descriptor is None:
        raise TimeoutError(f"{path} has been locked by another process for {wait:.0f} seconds.")
    try:
        yield
    finally:
        os.close(descriptor)
