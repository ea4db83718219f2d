"""Migration operations for a database that people are using.

Nothing here makes a writer wait for as long as a second, and nothing makes one fail:

- Columns, unchecked constraints and triggers take a moment's lock of *all* their tables, or of none
  (`ShortLocks`, `locked`). Waiting for one lock while holding another is how two programs come to wait for
  each other, and PostgreSQL would end one of them after `deadlock_timeout`, a second: a migration lets go
  sooner, and tries again in the other order.
- What has to read a whole table reads it beside the writers: checks, indexes.
- What has to write many rows writes them in pages, a transaction each (`InPages`).

Each can be run again after it was cut off anywhere.
"""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from uuid import UUID

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import NotSupportedError, OperationalError, transaction
from django.db.migrations import Migration, RunSQL
from django.db.migrations.operations import AddConstraint
from django.db.migrations.operations.base import Operation
from psycopg import errors

from orgs.crash_points import crash_point

LOCK_TIMEOUT = "150ms"  # for each lock; with four of them well below deadlock_timeout
TRIES = 12
BREATH = 0.3  # of the time that a page took, for which the disk is everybody else's

ALL_OR_NONE = """
SET LOCAL lock_timeout = '{timeout}';
DO $$
DECLARE
    wanted text[] := ARRAY[{tables}];
    one text;
BEGIN
    FOR attempt IN 1..{tries} LOOP
        BEGIN
            FOREACH one IN ARRAY wanted LOOP
                EXECUTE format('LOCK TABLE %I IN {mode} MODE', one);
            END LOOP;
            RETURN;
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN  -- which lets go of what it has got
            IF attempt = {tries} THEN
                RAISE;
            END IF;
        END;
        PERFORM pg_sleep(0.2 + random() * 0.3);
        SELECT array_agg(name ORDER BY place DESC) INTO wanted
        FROM unnest(wanted) WITH ORDINALITY AS _ (name, place);
    END LOOP;
END
$$;
"""


class ShortLocks(Migration):
    """A migration that is one transaction, and changes `tables`.

    They are named in the order in which a booking writes to them. Its statements are made before the locks
    are taken: Django takes its time to make them. Fails, to be run again, where somebody holds a table for
    long.
    """

    tables: tuple[str, ...] = ()
    mode = "ACCESS EXCLUSIVE"

    def apply(self, project_state, schema_editor, collect_sql=False):
        locks = all_or_none(self.tables, self.mode)
        if collect_sql:
            schema_editor.execute(locks, params=None)
            return super().apply(project_state, schema_editor, collect_sql)
        with schema_editor.connection.schema_editor(collect_sql=True) as writing:
            state = super().apply(project_state, writing, collect_sql=True)
        schema_editor.execute(locks, params=None)
        for statement in writing.collected_sql:
            if any(not line.startswith("--") for line in statement.splitlines()):
                schema_editor.execute(statement, params=None)
        return state


def locked(*tables: str, sql: str, mode: str = "ACCESS EXCLUSIVE") -> RunSQL:
    """Statements under those locks in a transaction of their own, in a migration that is none."""
    return RunSQL(all_or_none(tables, mode) + sql, RunSQL.noop)


def all_or_none(tables: tuple[str, ...], mode: str) -> str:
    """Statements that lock these tables, or none of them, for the rest of a transaction."""
    if not tables:
        return f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}';\n"
    names = ", ".join(f"'{table}'" for table in tables)
    return ALL_OR_NONE.format(timeout=LOCK_TIMEOUT, tables=names, mode=mode, tries=TRIES)


def sql_file(migration: str, name: str) -> RunSQL:
    """The statements of `sql/<name>` beside the migration whose `__file__` is given."""
    return RunSQL((Path(migration).parent / "sql" / name).read_text(), RunSQL.noop)


class InPages(Operation):
    """Rows that are written anew, a page at a time and a transaction each, beside who books.

    Args:
        which: selects the ids (UUIDs) of the rows that need it, from `%(after)s` on, in order, at most
            `%(most)s`: so what is done already is passed over when it is run again.
        do: statements for a page, `%(ids)s`.
        about: a few words for whoever watches.
        most: rows in a page.
    """

    reversible = True
    reduces_to_sql = False
    atomic = False

    def __init__(self, which: str, *do: str, about: str, most: int = 2000):
        self.which, self.do, self.about, self.most = which, do, about, most

    def deconstruct(self):
        return self.__class__.__name__, [self.which, *self.do], {"about": self.about, "most": self.most}

    def state_forwards(self, app_label, state):
        pass

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if not schema_editor.collect_sql:
            write_in_pages(schema_editor.connection, self.which, *self.do, most=self.most)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        pass

    def describe(self):
        return self.about


def write_in_pages(connection, which: str, *do: str, most: int = 2000) -> int:
    """What `InPages` does; returns how many rows were written."""

    def write(ids: list[UUID]) -> None:
        with connection.cursor() as cursor:
            for statement in do:
                cursor.execute(statement, {"ids": ids})

    written = 0
    for ids in pages(connection, which, most=most):
        began = monotonic()
        in_turn(connection, partial(write, ids))
        crash_point("in_pages")
        written += len(ids)
        sleep(BREATH * (monotonic() - began))
    return written


def pages(connection, which: str, *, most: int) -> Iterator[list[UUID]]:
    """The ids that `which` selects from `%(after)s` on, `%(most)s` at a time."""
    after = UUID(int=0)
    while True:
        with connection.cursor() as cursor:
            cursor.execute(which, {"after": after, "most": most})
            ids = [found for [found] in cursor.fetchall()]
        if ids:
            yield ids
        if len(ids) < most or ids[-1].int + 1 >= 1 << 128:
            return
        after = UUID(int=ids[-1].int + 1)


def in_turn(connection, write: Callable[[], Any]) -> Any:
    """A transaction that waits for nobody for long: whoever holds one of its rows is let finish."""
    tries = iter(range(1, TRIES))
    while True:
        try:
            with transaction.atomic(using=connection.alias):
                with connection.cursor() as cursor:
                    cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
                return write()
        except OperationalError as error:
            if not is_held(error) or next(tries, None) is None:
                raise
        sleep(0.2)


def is_held(error: OperationalError) -> bool:
    """Whether it failed because somebody else holds a lock; then trying again may help."""
    return isinstance(error.__cause__, errors.LockNotAvailable | errors.DeadlockDetected)


def _create_beside_writers(schema_editor, table: str, index: str, sql: str) -> None:
    """Create `index` by `sql` (CONCURRENTLY), and be sure of it.

    A cut-off or failed build leaves an invalid index behind that guards nothing and that IF NOT EXISTS
    would accept, so such a one is dropped first; a valid one is left as it is. The build waits for old
    transactions without holding anybody up, so no lock timeout applies to it.
    """
    if schema_editor.collect_sql:
        schema_editor.execute(sql, params=None)
        return

    def state() -> bool | None:
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(
                "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)",
                [schema_editor.quote_name(index)],
            )
            row = cursor.fetchone()
            return row[0] if row else None

    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        [patience] = cursor.fetchone()
    schema_editor.execute("SET lock_timeout = 0")
    try:
        if state() is False:
            schema_editor.execute(f"DROP INDEX CONCURRENTLY {schema_editor.quote_name(index)}")
        if state() is None:
            schema_editor.execute(sql, params=None)
    finally:
        schema_editor.execute(f"SET lock_timeout = '{patience}'")
    if not state():
        raise NotSupportedError(f"Index {index} on {table} could not be built; run migrate again.")
    crash_point("index")


class AddIndexSafely(AddIndexConcurrently):
    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        self._ensure_not_in_transaction(schema_editor)
        model = to_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(schema_editor.connection.alias, model):
            sql = str(self.index.create_sql(model, schema_editor, concurrently=True))
            _create_beside_writers(schema_editor, model._meta.db_table, self.index.name, sql)


class AddUniqueSafely(AddConstraint):
    """A unique constraint whose index is built beside the writers; a partial one, or one on expressions,
    stays an index, as PostgreSQL knows no such constraint."""

    atomic = False

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        model = to_state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        table, name = (
            schema_editor.quote_name(part) for part in (model._meta.db_table, self.constraint.name)
        )
        if self.constraint.condition is None and not self.constraint.contains_expressions:
            columns = ", ".join(
                schema_editor.quote_name(model._meta.get_field(field).column)
                for field in self.constraint.fields
            )
            sql = f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON {table} ({columns})"
            _create_beside_writers(schema_editor, model._meta.db_table, self.constraint.name, sql)
            if schema_editor.collect_sql or not self._is_constraint(schema_editor):
                schema_editor.execute(
                    all_or_none((model._meta.db_table,), "ACCESS EXCLUSIVE")
                    + f"ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE USING INDEX {name}",
                    params=None,
                )
        else:
            sql = str(self.constraint.create_sql(model, schema_editor))
            sql = sql.replace("CREATE UNIQUE INDEX", "CREATE UNIQUE INDEX CONCURRENTLY", 1)
            _create_beside_writers(schema_editor, model._meta.db_table, self.constraint.name, sql)

    def _is_constraint(self, schema_editor) -> bool:
        with schema_editor.connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_constraint WHERE conname = %s", [self.constraint.name])
            return cursor.fetchone() is not None

    def describe(self):
        return f"Create {self.constraint.name} on {self.model_name} beside the writers"
