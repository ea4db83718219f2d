"""`adopt_schema` ended by `kill -9`, again and again, while the original program goes on booking."""

import os
import signal
import subprocess
import sys
from contextlib import nullcontext
from urllib.parse import urlencode

import pytest

from happening.adopting import report
from tests.schema.old_house import Dirt, OldProgram, make_original, used_by_django
from tests.schema.rows import Rows
from tests.schema.scratch import Scratch
from tests.schema.test_files import schema_of

# Between two migrations, after a page of rows and after an index; the first time and some later ones.
CRASHES = (
    *("mend:3", "migration:4", "index:2", "in_pages:1", "index:9", "in_pages:1", "migration:9"),
    *("migration:6", "conclude"),
)
LIBRARIES = ("django_*", "auth_*", "account_email*", "mfa_*", "usersessions_*")


class Open:
    """Nothing guards the database here: no test has one of its own."""

    unblock = staticmethod(nullcontext)


@pytest.fixture
def scratch(postgres):
    scratch = Scratch(Open)
    yield make_original(scratch)
    scratch.drop()


@pytest.fixture
def migrated(postgres):
    scratch = Scratch(Open)
    scratch.migrate()
    yield scratch
    scratch.drop()


def adopt(scratch, **environment: str) -> subprocess.CompletedProcess:
    facts = scratch.environment
    place = {"host": facts["PGHOST"], "port": facts.get("PGPORT", "5432")}
    address = f"postgres://{facts['PGUSER']}@/{scratch.name}?{urlencode(place)}"
    return subprocess.run(
        [sys.executable, "manage.py", "adopt_schema", "--mend", "--improve", "--yes"],
        env=os.environ | {"DATABASE_URL": address, "PGPASSWORD": facts.get("PGPASSWORD", "")} | environment,
        capture_output=True,
        text=True,
        timeout=180,
    )


class TestAnAdoptionThatIsKilled:
    def test_goes_on_where_it_stopped_and_loses_nothing(self, scratch, migrated):
        rows = Rows(scratch.connect().cursor())
        people = [rows.add("users") for _ in range(20)]
        events = [rows.add("events", total_slots=9_000, available_slots=9_000) for _ in range(300)]
        Dirt(rows)
        programs = [
            OldProgram(scratch.connect, events, people, number=number, of=2, pause=0.02)
            for number in range(2)
        ]
        for program in programs:
            program.start()
        try:
            ends = [adopt(scratch, HAPPENING_CRASH_AT=where).returncode for where in CRASHES]
            done = adopt(scratch)
        finally:
            for program in programs:
                program.stop()
        assert ends == [-signal.SIGKILL] * len(CRASHES)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "nothing is lost" in done.stdout
        assert [error for program in programs for error in program.errors] == []
        booked = {booking for program in programs for booking in program.booked}
        assert booked <= set(rows.column("SELECT id FROM bookings"))
        with used_by_django(scratch, Open):
            assert report.broken() == []
        assert (
            rows.column("SELECT id FROM events WHERE available_slots <> get_event_available_slots(id)") == []
        )
        rows.do("DROP SCHEMA adoption CASCADE")
        theirs = [f"--exclude-table={pattern}" for pattern in LIBRARIES]
        assert scratch.dump("--schema-only", *theirs) == schema_of(migrated)
