"""Bytes from a path, without waiting for anybody and without taking in more than a calendar can be."""

import os
import stat

from events.ical.errors import CalendarUnreadable

LARGEST = 20 * 1024 * 1024


def load(path: str) -> bytes:
    """The file's bytes. Opened without blocking, so that a pipe that nobody writes to is refused at once.

    Raises:
        CalendarUnreadable: it is missing, no plain file, not readable, empty or too large.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise CalendarUnreadable(f"{path}: there is no such file.") from None
    except PermissionError:
        raise CalendarUnreadable(f"{path}: this file may not be read.") from None
    except (OSError, ValueError) as error:
        raise CalendarUnreadable(f"{path!r} cannot be opened: {error}.") from None
    kind = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(kind):
        os.close(descriptor)
        raise CalendarUnreadable(f"{path} is {'a directory' if stat.S_ISDIR(kind) else 'no plain file'}.")
    with open(descriptor, "rb") as file:
        data = file.read(LARGEST + 1)
    if not data.strip():
        raise CalendarUnreadable(f"{path} is empty.")
    if len(data) > LARGEST:
        raise CalendarUnreadable(
            f"{path} is larger than {LARGEST // 1024**2} MB; export a shorter time span."
        )
    return data
