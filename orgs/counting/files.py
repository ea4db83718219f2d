"""A process's files of counts: who is alive, and room on the disk before it is written to.

<token>-<kind>.alive      locked by the process for as long as it lives, one for each thing it is
counter_<token>.db        its counts; likewise histogram_ and gauge_<mode>_
counter_archive.db        what the dead have counted
lock                      held by who comes, and by who adds up
"""

import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client.mmap_dict import MmapedDict

ROOM = 1 << 16  # bytes of a new file; it doubles when they are used up
ARCHIVE = "archive"
PATIENCE = 5.0  # seconds to wait for others to come or to add up
LOOK_AGAIN = 0.01


class CountFile(MmapedDict):
    """Numbers by name. A write into a file that has no room on its disk would end the process, so room is
    taken first, by writing to it.

    Raises:
        OSError: there is no room.
    """

    def __init__(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            if os.fstat(descriptor).st_size == 0:
                _take_room(descriptor, 0, ROOM)
        finally:
            os.close(descriptor)
        super().__init__(str(path))

    def place_of(self, name: str) -> int:
        """Where the number of this name stands; a new one is 0."""
        if name not in self._positions:
            self._init_value(name)
        return self._positions[name]

    def write(self, place: int, packed: bytes) -> None:
        self._m[place : place + len(packed)] = packed

    def _init_value(self, key: str) -> None:
        capacity, needed = self._capacity, self._used + len(key.encode()) + 32
        while needed > capacity:
            _take_room(self._f.fileno(), capacity, capacity)
            capacity *= 2
        super()._init_value(key)


class Membership:
    """This process among those that count in `directory`."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.directory = directory
        self.token = secrets.token_hex(8)
        self._presences: dict[str, int] = {}
        self._files: dict[str, CountFile] = {}

    def be(self, kind: str) -> None:
        """Be seen as one of this kind."""
        if kind not in self._presences:
            with locked(self.directory):
                path = self.directory / f"{self.token}-{kind}.alive"
                self._presences[kind] = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                fcntl.flock(self._presences[kind], fcntl.LOCK_EX | fcntl.LOCK_NB)

    @property
    def kinds(self) -> list[str]:
        return list(self._presences)

    def file(self, prefix: str) -> CountFile:
        if prefix not in self._files:
            self._files[prefix] = CountFile(self.directory / f"{prefix}_{self.token}.db")
        return self._files[prefix]

    def close(self) -> None:
        """Let go of it all: at the end, or as the child that inherited it, whose parent keeps its own."""
        for file in self._files.values():
            file.close()
        for descriptor in self._presences.values():
            os.close(descriptor)
        self._files, self._presences = {}, {}


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Nobody comes and nobody adds up meanwhile.

    Raises:
        TimeoutError: somebody else does so for seconds.
    """
    descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + PATIENCE
        while not _is_ours(descriptor):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{directory} has been locked by another process for {PATIENCE:.0f} s.")
            time.sleep(LOOK_AGAIN)
        yield
    finally:
        os.close(descriptor)


def alive(directory: Path) -> Iterator[tuple[str, str]]:
    """The token and kind of every process that lives; the files of presence of the others go."""
    for path in directory.glob("*.alive"):
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            if _is_ours(descriptor):
                path.unlink()
            else:
                token, _, kind = path.stem.partition("-")
                yield token, kind
        finally:
            os.close(descriptor)


def _is_ours(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _take_room(descriptor: int, start: int, size: int) -> None:
    written = 0
    while written < size:
        written += os.pwrite(descriptor, bytes(size - written), start + written)
