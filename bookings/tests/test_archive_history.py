"""Archiving: a month leaves the table only when it stands in a file that has been read again."""

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from io import StringIO
from uuid import uuid4

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from bookings import archive
from bookings.archive import Month
from bookings.archive_files import SUMS, ArchiveDamaged, ArchiveDirectory
from bookings.models import BookingHistory
from happening import postgres_programs

pytestmark = pytest.mark.django_db(transaction=True)

MARCH = datetime(2020, 3, 15, 12, tzinfo=UTC)


@pytest.fixture
def directory(tmp_path) -> ArchiveDirectory:
    return ArchiveDirectory(tmp_path / "archive")


def write(*moments: datetime) -> list[str]:
    """Lines of the history; returns their ids."""
    lines = [
        BookingHistory(booking_id=uuid4(), action="created", details={"seats": 2, "žluť": "ø"}, created_at=at)
        for at in moments
    ]
    return [str(line.pk) for line in BookingHistory.objects.bulk_create(lines)]


def run(directory, **options) -> dict:
    out = StringIO()
    call_command("archive_history", to=directory.path, json=True, stdout=out, **options)
    return json.loads(out.getvalue())


def archived(directory) -> list[str]:
    """The ids in all files that count, each as often as it stands there."""
    files = [line.split()[1] for line in (directory.path / SUMS).read_text().splitlines()]
    return [line["id"] for name in files for line in directory.read(directory.path / name)]


class TestArchiveHistory:
    def test_makes_a_file_of_each_old_month_and_keeps_the_young(self, directory, now):
        old = write(MARCH, MARCH + timedelta(days=1), MARCH + timedelta(days=31))
        [young] = write(now)
        report = run(directory)
        assert [(month["month"], month["lines"]) for month in report["months"]] == [
            ("2020-03", 2),
            ("2020-04", 1),
        ]
        assert sorted(archived(directory)) == sorted(old)
        assert [str(line.pk) for line in BookingHistory.objects.all()] == [young]

    def test_parts_months_at_midnight_utc(self, directory):
        end = Month(2020, 3).ends
        write(end - timedelta(microseconds=1), end)
        assert [month["lines"] for month in run(directory)["months"]] == [1, 1]

    def test_does_nothing_the_second_time(self, directory):
        write(MARCH)
        run(directory)
        before = {file.name: file.read_bytes() for file in directory.path.iterdir()}
        assert run(directory)["months"] == []
        assert {file.name: file.read_bytes() for file in directory.path.iterdir()} == before

    def test_changes_nothing_in_a_dry_run(self, directory):
        write(MARCH)
        assert run(directory, dry_run=True)["months"] == [{"month": "2020-03", "lines": 1, "files": []}]
        assert BookingHistory.objects.count() == 1
        assert not directory.path.exists()

    def test_writes_another_file_for_lines_that_come_late(self, directory):
        first = write(MARCH)
        run(directory)
        late = write(MARCH)
        assert run(directory)["months"][0]["files"] == ["2020-03.jsonl.gz", "2020-03.2.jsonl.gz"]
        assert archived(directory) == late + first

    def test_deletes_nothing_where_a_file_is_damaged(self, directory):
        write(MARCH)
        run(directory)
        (directory.path / "2020-03.jsonl.gz").write_bytes(b"")
        write(MARCH)
        with pytest.raises(CommandError, match="is not what"):
            run(directory)
        assert BookingHistory.objects.count() == 1

    def test_deletes_nothing_that_is_older_than_what_it_wrote(self, directory):
        write(MARCH - timedelta(days=60), MARCH)
        with pytest.raises(archive.HistoryChanged):
            archive.archive(Month.of(MARCH), into=directory)
        assert BookingHistory.objects.count() == 2

    def test_leaves_it_to_a_run_that_is_under_way(self, directory):
        write(MARCH)
        with postgres_programs.used().connect() as other:
            other.execute("SELECT pg_advisory_lock(%s)", [archive.LOCK])
            with pytest.raises(CommandError, match="under way"):
                run(directory)
        assert BookingHistory.objects.count() == 1


class TestRead:
    def test_gives_every_column_back(self, directory, capsys):
        write(MARCH)
        [row] = BookingHistory.objects.values()
        run(directory)
        call_command("archive_history", read=directory.path / "2020-03.jsonl.gz")
        line = json.loads(capsys.readouterr().out)
        assert datetime.fromisoformat(line.pop("created_at")) == row.pop("created_at")
        assert line == {
            name: str(fact) if name.endswith("id") and fact else fact for name, fact in row.items()
        }

    def test_refuses_a_file_that_was_changed(self, directory):
        write(MARCH)
        run(directory)
        file = directory.path / "2020-03.jsonl.gz"
        file.write_bytes(file.read_bytes() + b"\0")
        with pytest.raises(ArchiveDamaged):
            list(directory.read(file))

    def test_is_checked_by_sha256sum(self, directory):
        write(MARCH)
        run(directory)
        subprocess.run(["sha256sum", "--check", "--strict", SUMS], cwd=directory.path, check=True)


class TestKilled:
    def test_between_file_and_delete_goes_on_without_loss_or_doubles(self, directory):
        lines = write(MARCH, MARCH)
        url = postgres_programs.used().url
        done = subprocess.run(
            [sys.executable, "manage.py", "archive_history", "--to", str(directory.path)],
            cwd=settings.BASE_DIR,
            env={**os.environ, "DATABASE_URL": url, "HAPPENING_CRASH_AT": "archive:written"},
            capture_output=True,
            timeout=60,
        )
        assert done.returncode == -signal.SIGKILL, done.stderr.decode()
        assert BookingHistory.objects.count() == 2
        assert run(directory)["months"][0]["lines"] == 2
        assert sorted(archived(directory)) == sorted(lines)
        assert not BookingHistory.objects.exists()

    def test_before_the_file_was_listed_writes_it_anew(self, directory):
        lines = write(MARCH)
        directory.path.mkdir()
        (directory.path / "2020-03.jsonl.gz").write_bytes(b"half a fi")
        run(directory)
        assert archived(directory) == lines
