"""What kind of database this is: which of its tables are as the original schema made them.

The original is asked, not described twice: `schema.sql` is run into a schema of its own in a transaction that
is rolled back, and both are read from the catalogue. That takes no lock on what stands.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum

from django.apps import apps
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

from happening import schema_export

APPS = ("orgs", "events", "bookings", "notifications")
ORIGINAL_STEP = [(app, "0001_original") for app in APPS]
TABLES = (
    "organizations",
    "users",
    "organization_users",
    "organization_invites",
    "events",
    "bookings",
    "booking_seats",
    "booking_history",
    "notifications",
)


class Stage(StrEnum):
    EMPTY = "empty"  # none of our tables
    FOREIGN = "foreign"  # not as the original made them
    ORIGINAL = "original"
    IMPROVED = "improved"  # by schema_improved.sql; no migration is recorded
    UNDER_WAY = "under way"  # some migrations are recorded, not all
    ADOPTED = "adopted"


@dataclass(frozen=True)
class Part:
    """A column, constraint or index; `definition` is what PostgreSQL says of it."""

    kind: str
    table: str
    name: str
    definition: str

    def __str__(self):
        return f"{self.kind} {self.name} of {self.table}: {self.definition}"


@dataclass
class Shape:
    stage: Stage
    differences: list[str] = field(default_factory=list)  # why it is foreign
    lacking: list[Part] = field(default_factory=list)  # constraints and indexes of the original


def look() -> Shape:
    if _recorded():
        executor = MigrationExecutor(connection)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
        return Shape(Stage.UNDER_WAY if pending else Stage.ADOPTED)
    stands = _parts("public")
    if not any(part.table in TABLES for part in stands):
        return Shape(Stage.EMPTY)
    wanted = _original()
    names = {(part.kind, part.table, part.name): part for part in stands}
    missing = [part for part in wanted if names.get((part.kind, part.table, part.name)) != part]
    columns = [str(part) for part in missing if part.kind == "column"]
    in_the_way = names.keys() & _columns_to_come() - {(part.kind, part.table, part.name) for part in wanted}
    if not columns and not in_the_way:
        return Shape(Stage.ORIGINAL, lacking=[part for part in missing if part.kind != "column"])
    if in_the_way and not schema_export.differences():
        return Shape(Stage.IMPROVED)
    columns += [f"column {name} of {table} stands already" for _, table, name in sorted(in_the_way)]
    return Shape(Stage.FOREIGN, differences=columns)


def _recorded() -> bool:
    recorder = MigrationRecorder(connection)
    return recorder.has_table() and bool(recorder.applied_migrations().keys() & set(ORIGINAL_STEP))


def _original() -> set[Part]:
    name = "adoption_original"
    text = re.sub(r"(?m)^(\\.*|BEGIN;|COMMIT;)$", "", schema_export.FILES["original"].read_text())
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA {name}")
        cursor.execute(f"SET LOCAL search_path = {name}")
        cursor.execute(text)
        parts = _parts(name)
        transaction.set_rollback(True)
    return parts


def _parts(schema: str) -> set[Part]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL search_path = {schema}")
        cursor.execute(PARTS, {"schema": schema})
        return {Part(*row[:3], row[3].replace(f"{schema}.", "")) for row in cursor.fetchall()}


def _columns_to_come() -> set[tuple[str, str, str]]:
    return {
        ("column", model._meta.db_table, column.column)
        for app in APPS
        for model in apps.get_app_config(app).get_models()
        if model._meta.db_table in TABLES
        for column in model._meta.local_concrete_fields
    }


PARTS = """
SELECT 'column', relname, attname,
       format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END
       || coalesce(' DEFAULT ' || pg_get_expr(adbin, adrelid), '')
FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE relnamespace = %(schema)s::regnamespace AND relkind = 'r' AND attnum > 0 AND NOT attisdropped
UNION ALL
SELECT 'constraint', relname, conname, pg_get_constraintdef(pg_constraint.oid)
FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid
WHERE relnamespace = %(schema)s::regnamespace AND contype IN ('c', 'f', 'u', 'p')
UNION ALL
SELECT 'index', owner.relname, index.relname, pg_get_indexdef(index.oid)
FROM pg_index JOIN pg_class AS index ON index.oid = indexrelid JOIN pg_class AS owner ON owner.oid = indrelid
WHERE index.relnamespace = %(schema)s::regnamespace AND indisvalid
  AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = index.oid AND contype IN ('u', 'p'))
"""
