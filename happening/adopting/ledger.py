"""What was mended, and what was counted before: kept in the database, in a schema of its own.

It outlives a killed run, and it is how a mend can be looked up and undone: each line has the row as it was
and as it became. It holds people's data, so it is dropped (`adopt_schema --forget`) once nobody needs it.
"""

from collections.abc import Iterable

from django.db import connection
from psycopg.types.json import Jsonb

SCHEMA = "adoption"

MAKE = """
CREATE SCHEMA IF NOT EXISTS adoption;
CREATE TABLE IF NOT EXISTS adoption.mends (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT statement_timestamp(),
    rule text NOT NULL,
    relation text NOT NULL,
    row_id uuid,
    was jsonb,
    became jsonb
);
CREATE TABLE IF NOT EXISTS adoption.counts (
    relation text PRIMARY KEY,
    until timestamptz NOT NULL,
    rows bigint NOT NULL
);
"""


def open_() -> None:
    """Make the ledger where there is none."""
    with connection.cursor() as cursor:
        cursor.execute(MAKE)


def is_open() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('adoption.mends') IS NOT NULL")
        return cursor.fetchone()[0]


def write(rule: str, lines: Iterable[tuple]) -> None:
    """Lines of (table, id, the row as it was, as it became); None where there was, or is, none."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO adoption.mends (rule, relation, row_id, was, became) VALUES (%s, %s, %s, %s, %s)",
            [
                (rule, table, row, was and Jsonb(was), became and Jsonb(became))
                for table, row, was, became in lines
            ],
        )


def mends() -> dict[str, int]:
    """How many lines each rule has."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT rule, count(*) FROM adoption.mends GROUP BY rule ORDER BY min(number)")
        return dict(cursor.fetchall())


def set_aside() -> dict[str, int]:
    """How many rows of each table were taken out of it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT relation, count(*) FROM adoption.mends WHERE became IS NULL GROUP BY relation")
        return dict(cursor.fetchall())


def forget() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA IF EXISTS adoption CASCADE")
