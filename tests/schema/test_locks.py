"""No migration may make people wait: squawk, which knows what locks a statement takes, reads each of them,
and the locks that each really has are looked at before it ends."""

import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import sleep

import pytest
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from psycopg.errors import DeadlockDetected

from orgs.migrating import ShortLocks, all_or_none
from tests.schema.old_house import make_original
from tests.schema.rows import Rows
from tests.schema.scratch import OUR_APPS
from tests.schema.test_names import TABLES

SQUAWK = Path(sys.executable).with_name("squawk")
FIRST_STEP = "0001_original"  # in an empty database nobody waits

# What squawk asks for in general and is done otherwise, and why.
OTHERWISE = {
    "prefer-text-field": "The lengths are the original's.",
    "prefer-bigint-over-int": "Seats and waiting numbers are counted in thousands.",
    "prefer-bigint-over-smallint": "A party has at most 50 seats.",
    "prefer-robust-stmts": "What is in no transaction looks first, or can be said twice.",
    "require-statement-timeout": "Checking and indexing a large table takes its time, beside the writers.",
}
# Statements that it warns of, and why they are safe.
WEAK = "SHARE UPDATE EXCLUSIVE, which no writer waits for."
WIDENED = "A list of values is widened: dropped and added in one transaction."
EXCEPTIONS = {
    ("require-lock-timeout", r"ALTER TABLE \S+ VALIDATE CONSTRAINT"): WEAK,
    ("require-lock-timeout", r"CREATE INDEX CONCURRENTLY"): WEAK,
    ("require-lock-timeout", r"ALTER TABLE \S+ SET \(fillfactor"): WEAK,
    ("ban-drop-constraint", r'.*"\w+_is_known"'): WIDENED,
    ("ban-drop-constraint", r'.*"only_pending_notifications_are_leased"'): "Another takes its place.",
    ("ban-drop-constraint", r".*a_seat_belongs_to_a_booking_of_its_event"): "Of a run that was cut off.",
    ("ban-drop-constraint", r".*booking_seats_booking_id_fkey"): "A key over both columns took its place.",
    ("adding-field-with-default", r".*STATEMENT_TIMESTAMP"): "Stable: asked once, no row is written.",
    ("ban-drop-default", r'.*"published_at"'): "It was there for the rows that stood.",
    ("constraint-missing-not-valid", r".*event_job_kind_is_known"): "A small table, and not a hot one.",
}
SAFE_ALONE = re.compile(
    r"ALTER TABLE \S+ VALIDATE CONSTRAINT|(CREATE|DROP) (UNIQUE )?INDEX CONCURRENTLY"
    r"|ALTER TABLE \S+ SET \(fillfactor"
)
STRONG = ["ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock"]


@pytest.fixture(scope="module")
def statements(beside):
    """Of each migration of ours what `sqlmigrate` prints."""
    with beside().django() as connection:
        loader = MigrationExecutor(connection).loader
        return {
            f"{app}.{name}": (migration, loader.collect_sql([(migration, False)]))
            for (app, name), migration in loader.disk_migrations.items()
            if app in OUR_APPS and name != FIRST_STEP
        }


def warnings(directory: Path, texts: dict[str, str]) -> list[tuple[str, str, str]]:
    """Name, rule and line of whatever squawk warns of."""
    for name, text in texts.items():
        (directory / f"{name}.sql").write_text(text)
    done = subprocess.run(
        [SQUAWK, "--pg-version", "15", "--reporter", "json", *sorted(directory.iterdir())],
        capture_output=True,
        text=True,
        timeout=120,
    )
    found = []
    for warning in json.loads(done.stdout):
        file = Path(warning["file"])
        line = file.read_text().splitlines()[warning["line"]]
        found.append((file.stem, warning["rule_name"], line.strip()))
    return found


class TestEachMigration:
    def test_has_no_statement_that_squawk_warns_of_but_those_named_here(self, tmp_path, statements):
        texts = {
            name: "\n".join(["BEGIN;", *lines, "COMMIT;"] if migration.atomic else lines)
            for name, (migration, lines) in statements.items()
        }
        needed, unsafe = set(), []
        for name, rule, line in warnings(tmp_path, texts):
            excuses = {one for one in EXCEPTIONS if one[0] == rule and re.match(one[1], line)}
            needed |= excuses | ({rule} & OTHERWISE.keys())
            if not excuses and rule not in OTHERWISE:
                unsafe.append((name, rule, line))
        assert unsafe == []
        assert needed == EXCEPTIONS.keys() | OTHERWISE.keys()  # none is left over

    def test_that_is_no_transaction_locks_nobody_out_but_for_a_moment(self, statements):
        bare = [
            (name, line)
            for name, (migration, lines) in statements.items()
            for line in lines
            if not migration.atomic and not line.startswith(("--", "\nSET LOCAL lock_timeout"))
        ]
        assert bare
        assert [one for one in bare if not SAFE_ALONE.match(one[1])] == []

    def test_that_is_one_locks_no_tables_but_those_it_names_and_got_at_once(self, beside):
        scratch = beside()
        with scratch.django() as connection:
            executor = MigrationExecutor(connection)
            leaves = [leaf for app in OUR_APPS for leaf in executor.loader.graph.leaf_nodes(app)]
            state, recorder = executor.loader.project_state([]), MigrationRecorder(connection)
            recorder.ensure_schema()
            for migration, _ in executor.migration_plan(leaves):
                with connection.schema_editor(atomic=migration.atomic) as editor:
                    state = migration.apply(state, editor)
                    with connection.cursor() as cursor:
                        cursor.execute(
                            "SELECT DISTINCT relation::regclass::text FROM pg_locks"
                            " WHERE pid = pg_backend_pid() AND locktype = 'relation' AND mode = ANY(%s)"
                            " AND relation::regclass::text = ANY(%s)",
                            [STRONG, TABLES],
                        )
                        held = {table for [table] in cursor.fetchall()}
                if migration.name != FIRST_STEP and migration.atomic:
                    assert isinstance(migration, ShortLocks)
                    assert held <= set(migration.tables), migration


@pytest.fixture
def booking(beside, connect):
    """A program that has written a booking and is about to write to its event; and a connection beside it."""
    scratch = make_original(beside())
    program, other = connect(scratch), connect(scratch)
    event = Rows(program.cursor()).add("events")
    program.execute("BEGIN")
    Rows(program.cursor()).add("bookings", event_id=event)

    def go_on() -> None:
        program.execute("UPDATE events SET available_slots = 0 WHERE id = %s", [event])
        program.execute("COMMIT")

    return go_on, other


def run_both(go_on, lock) -> None:
    """`lock` takes its first lock, then the program goes on. Raises what the program meets."""
    with ThreadPoolExecutor() as pool:
        locking = pool.submit(lock)
        sleep(0.05)
        try:
            pool.submit(go_on).result()
        finally:
            locking.result()


class TestLocksOfAllTablesOrOfNone:
    def test_let_a_program_finish_that_needs_them_in_another_order(self, booking):
        go_on, other = booking
        run_both(go_on, lambda: other.execute(all_or_none(("events", "bookings"), "SHARE ROW EXCLUSIVE")))

    def test_control_locks_taken_one_after_the_other_make_the_program_fail(self, booking):
        go_on, other = booking

        def lock():
            other.execute("BEGIN")
            other.execute("LOCK TABLE events IN SHARE ROW EXCLUSIVE MODE")
            sleep(0.2)
            other.execute("LOCK TABLE bookings IN SHARE ROW EXCLUSIVE MODE")

        with pytest.raises(DeadlockDetected):
            run_both(go_on, lock)


class TestSquawk:
    def test_warns_of_what_locks_writers_out(self, tmp_path):
        control = {
            "index": "CREATE INDEX i ON bookings (seats);",
            "check": "ALTER TABLE bookings ADD CONSTRAINT c CHECK (seats > 0);",
            "column": "ALTER TABLE bookings ADD COLUMN note uuid DEFAULT gen_random_uuid();",
        }
        found = {(name, rule) for name, rule, _ in warnings(tmp_path, control)}
        assert {
            ("index", "require-concurrent-index-creation"),
            ("check", "constraint-missing-not-valid"),
            ("column", "adding-field-with-default"),
        } <= found
