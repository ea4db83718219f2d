"""The guards of the database: everything in it that refuses, keeps or derives.

`guards.json` says what the migrations make: indexes, constraints, triggers, views, each with the definition
that PostgreSQL gives of it, and functions with the digest of their body. A test holds it equal to the
migrations; `manage.py doctor --write-guards` writes it anew from a freshly migrated database. What others
add beside it is no finding.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from django.db import connection

from happening.doctor.finding import Finding
from happening.doctor.words import several

FILE = Path(__file__).with_name("guards.json")
KINDS = ("indexes", "constraints", "triggers", "functions", "views")
AS_A_WHOLE = "Run `psql -f docs/schema/schema_improved.sql` as the owner of the tables: it may be run again."
UNIQUE = "CREATE UNIQUE INDEX"

STANDING = {
    "indexes": """
        SELECT relname, pg_get_indexdef(indexrelid), indisvalid AND indisready
        FROM pg_index JOIN pg_class ON oid = indexrelid
        WHERE relnamespace = 'public'::regnamespace
          AND NOT EXISTS (
              SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u', 'x')
          )
    """,
    "constraints": """
        SELECT relname || ' ' || conname, replace(pg_get_constraintdef(pg_constraint.oid), ' NOT VALID', ''),
            convalidated
        FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid
        WHERE connamespace = 'public'::regnamespace AND contype IN ('c', 'f', 'p', 'u', 'x')
    """,
    "triggers": """
        SELECT relname || ' ' || tgname, pg_get_triggerdef(pg_trigger.oid), tgenabled = 'O'
        FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
        WHERE relnamespace = 'public'::regnamespace AND NOT tgisinternal
    """,
    "functions": """
        SELECT oid::regprocedure::text, md5(prosrc), true FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace
          AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')
    """,
    "views": """
        SELECT relname, '', true FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'v'
          AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')
    """,
}


def standing() -> dict[str, dict[str, str]]:
    """What the database that is used has, as `guards.json` holds it."""
    return {
        kind: {name: definition for name, (definition, _) in sorted(_standing(kind).items())}
        for kind in KINDS
    }


def write() -> None:
    FILE.write_text(json.dumps(standing(), indent=1) + "\n")


def wanted() -> dict[str, dict[str, str]]:
    return json.loads(FILE.read_text())


def look() -> Iterator[Finding]:
    wrong = 0
    expected = wanted()
    for kind in KINDS:
        there = _standing(kind)
        for name, definition in expected[kind].items():
            for finding in _compared(kind, name, definition, there.get(name)):
                wrong += 1
                yield finding
    for finding in _switched_off_inside():
        wrong += 1
        yield finding
    if not wrong:
        count = ", ".join(f"{len(expected[kind])} {kind}" for kind in KINDS)
        yield Finding("Guards", f"{count}: all there, valid and on")


def _compared(kind: str, name: str, definition: str, there: tuple[str, bool] | None) -> Iterator[Finding]:
    what, made_anew = NAMES[kind], MENDS[kind]
    if there is None:
        yield Finding(what, f"{name} is missing", made_anew(name, definition, is_there=False))
        return
    stands, is_sound = there
    if _essence(stands) != _essence(definition):
        yield Finding(
            what, f"{name} is not what the migrations make", made_anew(name, definition, is_there=True)
        )
    elif not is_sound:
        yield Finding(what, f"{name} is {UNSOUND[kind]}", _sound_again(kind, name, definition))


def _essence(definition: str) -> str:
    """Without types and brackets: a dump that was loaded again has the same rule with other casts."""
    return re.sub(r"::[a-z ]+(\[\])?|[()\s]", "", definition)


def _index(name: str, definition: str, *, is_there: bool) -> str:
    """A unique index guards; while it is made anew nothing may be booked past it."""
    drop = f"DROP INDEX CONCURRENTLY {name}; " if is_there else ""
    create = definition.replace(" INDEX ", " INDEX CONCURRENTLY ", 1)
    first = "Stop the web, then: " if definition.startswith(UNIQUE) else ""
    return f"{first}{drop}{create};"


def _constraint(name: str, definition: str, *, is_there: bool) -> str:
    table, name = name.split(" ", 1)
    drop = f"ALTER TABLE {table} DROP CONSTRAINT {name}; " if is_there else ""
    if definition.startswith(("CHECK", "FOREIGN KEY")):
        return (
            f"{drop}ALTER TABLE {table} ADD CONSTRAINT {name} {definition} NOT VALID; "
            f"ALTER TABLE {table} VALIDATE CONSTRAINT {name};"
        )
    return f"{drop}ALTER TABLE {table} ADD CONSTRAINT {name} {definition};"


def _trigger(name: str, definition: str, *, is_there: bool) -> str:
    table, name = name.split(" ", 1)
    drop = f"DROP TRIGGER {name} ON {table}; " if is_there else ""
    return f"{drop}{definition};"


def _whole(name: str, definition: str, *, is_there: bool) -> str:
    return AS_A_WHOLE


def _sound_again(kind: str, name: str, definition: str) -> str:
    if kind == "indexes":
        return _index(name, definition, is_there=True)
    table, name = name.split(" ", 1)
    if kind == "constraints":
        return f"ALTER TABLE {table} VALIDATE CONSTRAINT {name};"
    return f"ALTER TABLE {table} ENABLE TRIGGER {name};"


def _switched_off_inside() -> Iterator[Finding]:
    """PostgreSQL keeps foreign keys by triggers of its own, which `DISABLE TRIGGER ALL` puts out as well."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, count(*) FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid"
            " WHERE relnamespace = 'public'::regnamespace AND tgisinternal AND tgenabled <> 'O'"
            " GROUP BY 1 ORDER BY 1"
        )
        for table, count in cursor.fetchall():
            off = several(count, "trigger of its foreign keys is", "triggers of its foreign keys are")
            yield Finding("Trigger", f"{table}: {off} off", f"ALTER TABLE {table} ENABLE TRIGGER ALL;")


def _standing(kind: str) -> dict[str, tuple[str, bool]]:
    with connection.cursor() as cursor:
        cursor.execute(STANDING[kind])
        return {name: (definition, is_sound) for name, definition, is_sound in cursor.fetchall()}


NAMES = {
    "indexes": "Index",
    "constraints": "Constraint",
    "triggers": "Trigger",
    "functions": "Function",
    "views": "View",
}
MENDS = {
    "indexes": _index,
    "constraints": _constraint,
    "triggers": _trigger,
    "functions": _whole,
    "views": _whole,
}
UNSOUND = {
    "indexes": "not valid, so it guards nothing",
    "constraints": "not checked for the rows that stand",
    "triggers": "switched off, or always on",
}
