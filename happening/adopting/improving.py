"""The improved step on a database in use: the migrations, each tried again until it gets its locks.

What is done is recorded by migration, and each can be run again after it was cut off, so this goes on where
a killed run stopped. Rules come first, for new rows only; then what was broken meanwhile is mended; then the
rest.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic, sleep

from django.core.management import call_command
from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

from bookings import recounting
from happening import postgres_programs
from happening.adopting.shape import APPS, ORIGINAL_STEP
from orgs.crash_points import crash_point
from orgs.migrating import is_held, write_in_pages

RULES_STEP = [(app, "0002_improved_columns") for app in APPS]
ONLY_ONE = "SELECT pg_try_advisory_lock(hashtext('happening.adopt_schema'))"
AGAIN = 3  # times that rows broken meanwhile are mended


class HeldTooLong(Exception):
    """Somebody holds a table, and patience is over; what is done stays done."""


class AlreadyRunning(Exception):
    """Another adoption of this database is under way."""


@contextmanager
def alone() -> Iterator[None]:
    """Of all adoptions of this database; ends with the connection, so a killed one binds nobody.

    Raises:
        AlreadyRunning
    """
    with postgres_programs.used().connect() as link:
        if not link.execute(ONLY_ONE).fetchone()[0]:
            raise AlreadyRunning("Another adoption of this database is under way.")
        yield


def record_original() -> None:
    """Tell Django that the original step was taken: by `schema.sql`."""
    with transaction.atomic():
        recorder = MigrationRecorder(connection)
        recorder.ensure_schema()
        for app, name in sorted(set(ORIGINAL_STEP) - set(recorder.applied_migrations())):
            recorder.record_applied(app, name)


def record_improved() -> None:
    """Tell Django that all steps of our apps were taken: by `schema_improved.sql`."""
    with transaction.atomic():
        recorder = MigrationRecorder(connection)
        recorder.ensure_schema()
        for app, name in sorted(MigrationExecutor(connection).loader.disk_migrations):
            if app in APPS:
                recorder.record_applied(app, name)


def improve(*, mend: Callable[[], int], patience: float, tell: Callable[[str], None]) -> None:
    """Take all steps that are not taken yet.

    Args:
        mend: mends rows that break a rule; asked once the rules hold for new rows.
        patience: seconds that one step may be refused its locks.

    Raises:
        HeldTooLong
        django.db.IntegrityError: rows break a rule that cannot be mended; its name is in the message.
    """
    _take(RULES_STEP, patience=patience, tell=tell)
    for attempt in range(1, AGAIN + 1):
        mend()
        try:
            _take(None, patience=patience, tell=tell)
            break
        except IntegrityError as error:
            if attempt == AGAIN:
                raise
            tell(f"Rows were written meanwhile that break a rule: {str(error).splitlines()[0]}")
    finish()


def finish() -> None:
    """What follows migrations: Django's content types."""
    call_command("migrate", verbosity=0, interactive=False)


def catch_up() -> int:
    """Count anew what the original program does not know of, once it is stopped; returns how many events."""
    return sum(
        write_in_pages(connection, *counts, most=50)
        for counts in (recounting.SEATS_LEFT, recounting.LAST_WAITING_NUMBER)
    )


def _take(targets: list | None, *, patience: float, tell: Callable[[str], None]) -> None:
    deadline = monotonic() + patience
    watch = _Watch(tell)
    while True:
        executor = MigrationExecutor(connection, watch)
        taken = executor.loader.applied_migrations  # to name one of these again would be to go back to it
        wanted = [step for step in targets or executor.loader.graph.leaf_nodes() if step not in taken]
        try:
            with connection.cursor() as cursor:  # for the libraries' migrations, which set none
                cursor.execute("SET lock_timeout = '500ms'")
            if wanted:
                executor.migrate(wanted)
        except OperationalError as error:
            if not is_held(error):
                raise
            if watch.steps != (steps := watch.seen):
                watch.steps, deadline = steps, monotonic() + patience
            if monotonic() > deadline:
                raise HeldTooLong(
                    f"{watch.name} does not get its locks. {_who()} What is done stays done; run this again."
                ) from error
            tell(f"{watch.name}: somebody holds a table; trying again. {_who()}")
            sleep(1)
        else:
            return


class _Watch:
    """Tells of each step, and how long it took."""

    def __init__(self, tell: Callable[[str], None]):
        self.tell, self.name, self.began = tell, "", 0.0
        self.seen = self.steps = 0

    def __call__(self, action: str, migration=None, fake: bool = False) -> None:
        if action == "apply_start":
            self.name, self.began = str(migration), monotonic()
            if not migration.atomic:  # which takes its time on large tables
                self.tell(f"{self.name} ...")
        elif action == "apply_success":
            self.tell(f"{self.name}: {monotonic() - self.began:.1f} s")
            self.seen += 1
            crash_point("migration")


def _who() -> str:
    """Whose transaction is the oldest, for whoever has to find its program."""
    with postgres_programs.used().connect() as link:
        found = link.execute(
            "SELECT pid, application_name, extract(epoch FROM statement_timestamp() - xact_start)::integer"
            " FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND xact_start IS NOT NULL AND backend_type = 'client backend' ORDER BY xact_start LIMIT 1"
        ).fetchone()
    if found is None:
        return "Nobody is in a transaction now."
    pid, program, seconds = found
    return f"The oldest transaction is that of process {pid} ({program or 'without a name'}): {seconds} s."
