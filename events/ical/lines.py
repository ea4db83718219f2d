"""Logical lines: unfolded before they are decoded, for some programs fold in the middle of a character."""

import codecs
from collections.abc import Iterator

from events.ical.errors import CalendarUnreadable

UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def logical_lines(data: bytes) -> Iterator[tuple[int, str]]:
    """Each logical line of the file with the number of the line on which it begins.

    Raises:
        CalendarUnreadable: the bytes are not the text of a calendar.
    """
    for number, line in _unfolded(_as_utf8(data)):
        try:
            yield number, line.decode()
        except UnicodeDecodeError as error:
            found = line[error.start]
            raise CalendarUnreadable(
                f"Line {number} is not UTF-8 text (byte 0x{found:02X}); save the file as UTF-8 and try again."
            ) from None


def _as_utf8(data: bytes) -> bytes:
    if data.startswith(UTF16):
        try:
            data = data.decode("utf-16").encode()
        except UnicodeError:
            raise CalendarUnreadable("The file begins as UTF-16 text but is not.") from None
    data = data.removeprefix(codecs.BOM_UTF8)
    if data.lstrip()[:15].upper() != b"BEGIN:VCALENDAR":
        raise CalendarUnreadable("This is not an iCalendar file: it does not begin with BEGIN:VCALENDAR.")
    return data if b"\n" in data else data.replace(b"\r", b"\n")


def _unfolded(data: bytes) -> Iterator[tuple[int, bytes]]:
    begun, parts = 1, []
    for number, line in enumerate(data.split(b"\n"), start=1):
        line = line.removesuffix(b"\r")
        if line[:1] in (b" ", b"\t") and parts:
            parts.append(line[1:])
            continue
        if parts:
            yield begun, b"".join(parts)
        begun, parts = number, [line]
    yield begun, b"".join(parts)
