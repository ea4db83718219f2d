"""Migration operations for a database that people are using.

Nothing here holds a lock that stops bookings: columns and unchecked constraints take a moment's lock and
give up after two seconds rather than queue everybody behind them (`short_locks`); what has to read the
whole table reads it beside the writers. Each can be run again after it was cut off.
"""

from pathlib import Path

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import NotSupportedError
from django.db.migrations import RunSQL
from django.db.migrations.operations import AddConstraint


def short_locks() -> RunSQL:
    """For the rest of this migration's transaction: rather fail, to be run again, than make others wait."""
    return RunSQL("SET LOCAL lock_timeout = '2s'", RunSQL.noop)


def sql_file(migration: str, name: str) -> RunSQL:
    """The statements of `sql/<name>` beside the migration whose `__file__` is given."""
    return RunSQL((Path(migration).parent / "sql" / name).read_text(), RunSQL.noop)


def _create_beside_writers(schema_editor, table: str, index: str, sql: str) -> None:
    """Create `index` by `sql` (CONCURRENTLY), and be sure of it.

    A cut-off or failed build leaves an invalid index behind that guards nothing and that IF NOT EXISTS
    would accept, so such a one is dropped first; a valid one is left as it is. The build waits for old
    transactions without holding anybody up, so no lock timeout applies to it.
    """

    def state() -> bool | None:
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(
                "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)",
                [schema_editor.quote_name(index)],
            )
            row = cursor.fetchone()
            return row[0] if row else None

    schema_editor.execute("SET lock_timeout = 0")
    try:
        if state() is False:
            schema_editor.execute(f"DROP INDEX CONCURRENTLY {schema_editor.quote_name(index)}")
        if state() is None:
            schema_editor.execute(sql, params=None)
    finally:
        schema_editor.execute("RESET lock_timeout")
    if not state():
        raise NotSupportedError(f"Index {index} on {table} could not be built; run migrate again.")


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
            with schema_editor.connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_constraint WHERE conname = %s", [self.constraint.name])
                if cursor.fetchone() is None:
                    schema_editor.execute(
                        "SET LOCAL lock_timeout = '2s';"
                        f"ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE USING INDEX {name}",
                        params=None,
                    )
        else:
            sql = str(self.constraint.create_sql(model, schema_editor))
            sql = sql.replace("CREATE UNIQUE INDEX", "CREATE UNIQUE INDEX CONCURRENTLY", 1)
            _create_beside_writers(schema_editor, model._meta.db_table, self.constraint.name, sql)

    def describe(self):
        return f"Create {self.constraint.name} on {self.model_name} beside the writers"
