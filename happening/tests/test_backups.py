"""Backup and restore: a dump taken beside somebody who books comes back whole."""

import json
import os
import subprocess
import sys
import threading
from uuid import uuid4

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from bookings import services
from happening import postgres_programs
from happening.doctor.invariants import HELD
from tests.factories import EventFactory, UserFactory

pytestmark = pytest.mark.django_db(transaction=True)
SEATS = 200


def book(event) -> None:
    services.book(event_id=event.pk, user_id=UserFactory().pk, seats=1, key=uuid4(), now=timezone.now())


class Writer(threading.Thread):
    """Books one seat after the other until told to stop."""

    def __init__(self, event):
        super().__init__()
        self.event, self.begun, self.done, self.booked = event, threading.Event(), threading.Event(), 0

    def run(self):
        try:
            while not self.done.is_set() and self.booked < SEATS:
                book(self.event)
                self.booked += 1
                self.begun.set()
        finally:
            connection.close()


@pytest.fixture
def event():
    return EventFactory(total_slots=SEATS)


def restore(file, *, into) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "manage.py", "restore", str(file), "--json"],
        cwd=settings.BASE_DIR,
        env={**os.environ, "DATABASE_URL": into.url},
        capture_output=True,
        text=True,
        timeout=120,
    )


class TestBackup:
    def test_beside_a_writer_comes_back_whole_into_an_empty_database(self, event, tmp_path):
        file, writer = tmp_path / "all.dump", Writer(event)
        writer.start()
        assert writer.begun.wait(20)
        before = writer.booked
        try:
            call_command("backup", file)
        finally:
            writer.done.set()
            writer.join()
        with postgres_programs.passing() as empty:
            done = restore(file, into=empty)
            assert done.returncode == 0, done.stderr
            report = json.loads(done.stdout)
            assert report["ok"]
            assert {row["what"] for row in report["findings"]} >= {
                *("Migrations", "Guards"),
                *(invariant.name for invariant in HELD),
            }
            with empty.connect() as link:
                [seats] = link.execute(
                    "SELECT count(*) FROM booking_seats WHERE status = 'booked'"
                ).fetchone()
        assert before <= seats <= writer.booked

    def test_is_readable_by_nobody_else(self, tmp_path):
        call_command("backup", tmp_path / "all.dump")
        assert (tmp_path / "all.dump").stat().st_mode & 0o777 == 0o600

    def test_that_failed_leaves_nothing_of_anybody_on_the_disk(self, tmp_path, monkeypatch):
        run = postgres_programs.run

        def unreadable(name, *arguments, on):
            if name == "pg_restore":
                raise postgres_programs.ProgramFailed("pg_restore failed: the disk is full")
            return run(name, *arguments, on=on)

        monkeypatch.setattr(postgres_programs, "run", unreadable)
        with pytest.raises(CommandError, match="the disk is full"):
            call_command("backup", tmp_path / "all.dump")
        assert list(tmp_path.iterdir()) == []

    def test_is_not_written_over_another(self, tmp_path):
        (tmp_path / "all.dump").write_text("precious")
        with pytest.raises(CommandError, match="already"):
            call_command("backup", tmp_path / "all.dump")
        assert (tmp_path / "all.dump").read_text() == "precious"


class TestRestore:
    def test_keeps_the_history_shut(self, tmp_path):
        call_command("backup", tmp_path / "all.dump")
        asked = "SELECT proacl::text FROM pg_proc WHERE proname = 'archive_booking_history'"
        with postgres_programs.passing() as empty:
            assert restore(tmp_path / "all.dump", into=empty).returncode == 0
            with empty.connect() as link:
                [granted] = link.execute(asked).fetchone()
        assert "{=X" not in granted
        assert ",=X" not in granted

    def test_leaves_out_what_only_the_servers_administrator_may_install(self, tmp_path):
        with connection.cursor() as cursor:
            cursor.execute("CREATE SCHEMA watching")
            cursor.execute("CREATE EXTENSION pg_stat_statements SCHEMA watching")
        try:
            call_command("backup", tmp_path / "all.dump")
        finally:
            with connection.cursor() as cursor:
                cursor.execute("DROP SCHEMA watching CASCADE")
        with postgres_programs.passing() as empty:
            done = restore(tmp_path / "all.dump", into=empty)
            assert done.returncode == 0, done.stderr
            with empty.connect() as link:
                asked = "SELECT count(*) FROM pg_namespace WHERE nspname = 'watching'"
                assert link.execute(asked).fetchone() == (0,)

    def test_refuses_a_database_that_is_not_empty(self, tmp_path):
        call_command("backup", tmp_path / "all.dump")
        with pytest.raises(CommandError, match="empty database only"):
            call_command("restore", tmp_path / "all.dump")

    def test_leaves_nothing_of_a_backup_that_is_cut_off(self, event, tmp_path):
        file = tmp_path / "all.dump"
        call_command("backup", file)
        file.write_bytes(file.read_bytes()[: file.stat().st_size * 3 // 4])
        with postgres_programs.passing() as empty:
            assert restore(file, into=empty).returncode == 1
            with empty.connect() as link:
                tables = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
                assert link.execute(tables).fetchone() == (0,)

    def test_says_which_seats_do_not_agree(self, event, tmp_path):
        book(event)
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            cursor.execute("UPDATE events SET available_slots = 7 WHERE id = %s", [event.pk])
            cursor.execute("RESET session_replication_role")
        call_command("backup", tmp_path / "all.dump")
        with postgres_programs.passing() as empty:
            done = restore(tmp_path / "all.dump", into=empty)
        assert done.returncode == 1
        [wrong] = [row for row in json.loads(done.stdout)["findings"] if not row["ok"]]
        assert str(event.pk) in wrong["says"]
        assert wrong["mend"] == f"Run `python manage.py reconcile_slots {event.pk}`."
