"""Takes old months out of the history of bookings, into files.

A month's lines are written, on the disk and read again before `archive_booking_history` deletes them, and the
transaction is undone unless it deleted just the lines that stand in the month's files. A run that is cut off
loses nothing: the next one finds the file, writes no line twice, and deletes. That function is the one way
out of the table, and the runtime role may not call it: this runs as the owner. The ids of one month are held
in memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Min
from django.db.models.expressions import RawSQL

from bookings.archive_files import ArchiveDirectory
from bookings.models import BookingHistory
from orgs.crash_points import crash_point

LOCK = 0x4A11_0001  # of PostgreSQL's advisory locks
AT_ONCE = 5_000  # rows


class ArchiveBusy(Exception):
    """Another run is under way."""


class HistoryChanged(Exception):
    """What was to be deleted is not what was written; nothing is deleted, and another run goes on."""


@dataclass(frozen=True)
class Month:
    """A calendar month in UTC."""

    year: int
    number: int

    @classmethod
    def of(cls, moment: datetime) -> "Month":
        moment = moment.astimezone(UTC)
        return cls(moment.year, moment.month)

    def plus(self, months: int) -> "Month":
        year, number = divmod(self.year * 12 + self.number - 1 + months, 12)
        return Month(year, number + 1)

    @property
    def begins(self) -> datetime:
        return datetime(self.year, self.number, 1, tzinfo=UTC)

    @property
    def ends(self) -> datetime:
        return self.plus(1).begins

    def __str__(self):
        return f"{self.year:04}-{self.number:02}"


@dataclass(frozen=True)
class Archived:
    """What became of a month: how many lines left the table, and the names of its files."""

    month: str
    lines: int
    files: tuple[str, ...]


def due_months(*, now: datetime, keep: int) -> Iterator[tuple[Month, int]]:
    """The months with lines that ended at least `keep` whole months ago, oldest first, and their lines."""
    end = Month.of(now).plus(-keep)
    old = BookingHistory.objects.filter(created_at__lt=end.begins)
    while oldest := old.aggregate(at=Min("created_at"))["at"]:
        month = Month.of(oldest)
        yield month, _lines_of(month).count()
        old = old.filter(created_at__gte=month.ends)


def archive(month: Month, *, into: ArchiveDirectory) -> Archived:
    """Write a month's lines into files and delete them; there are to be no older ones.

    Raises:
        ArchiveBusy, HistoryChanged, ArchiveDamaged.
    """
    with transaction.atomic(durable=True):
        _be_the_only_run()
        held = {UUID(line["id"]) for part in into.parts(str(month)) for line in into.read(part)}
        _write_rest(month, held, into=into)
        crash_point("archive:written")
        deleted = _delete_until(month.ends)
        if not deleted <= held:
            raise HistoryChanged(f"Lines of {month} or before came in meanwhile; run this again.")
    return Archived(str(month), len(deleted), tuple(part.name for part in into.parts(str(month))))


def _write_rest(month: Month, held: set[UUID], *, into: ArchiveDirectory) -> None:
    """Write what stands in no file yet, and add it to `held`."""
    rest = ((pk, line) for pk, line in _read(month) if pk not in held)
    first = next(rest, None)
    if first is None:
        return
    written = set()

    def lines() -> Iterator[str]:
        for pk, line in chain([first], rest):
            written.add(pk)
            yield line

    into.write(str(month), lines())
    held |= written


def _read(month: Month) -> Iterator[tuple[UUID, str]]:
    """Each line's id and all its columns as JSON, in the order of their making."""
    as_json = RawSQL("row_to_json(booking_history)::text", [])
    rows = _lines_of(month).order_by("created_at", "pk").values_list("pk", as_json)
    yield from rows.iterator(chunk_size=AT_ONCE)


def _lines_of(month: Month):
    return BookingHistory.objects.filter(created_at__gte=month.begins, created_at__lt=month.ends)


def _be_the_only_run() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            raise ArchiveBusy("Another run of archive_history is under way.")


def _delete_until(end: datetime) -> set[UUID]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM archive_booking_history(%s)", [end])
        return {pk for [pk] in cursor.fetchall()}
