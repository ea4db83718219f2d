"""What PostgreSQL knows of its own work: slow statements, indexes that nobody uses, the size of tables.

Each question is a transaction of its own whose statements end after two seconds, come what may.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from django.db import DatabaseError, connection, transaction

SECONDS = 2
SHOWN = 12
LONGEST = 240  # characters of a statement
LIBRARY = "pg_stat_statements"

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Statement:
    """Times are in milliseconds; `share`: percent of the time that all statements took."""

    text: str
    calls: int
    mean: float
    total: float
    share: float


@dataclass(frozen=True)
class Index:
    name: str
    table: str
    bytes: int


@dataclass(frozen=True)
class Table:
    """`bytes` with its indexes; rows as PostgreSQL estimates them, dead ones wait for vacuum."""

    name: str
    bytes: int
    rows: int
    dead: int


def within_time(question: Callable[[], Answer]) -> Answer | None:
    """What it answers; None where that took too long or could not be asked."""
    try:
        with transaction.atomic():
            before = _limit(f"{SECONDS}s")
            answer = question()
            _limit(before)
    except DatabaseError:
        return None
    return answer


def _limit(time: str) -> str:
    """Bound the statements of this transaction; returns how they were bounded."""
    [[before, _]] = _rows(
        "SELECT current_setting('statement_timeout'), set_config('statement_timeout', %s, true)", time
    )
    return before


def statements_schema() -> str:
    """The schema, quoted, where the library that knows of slow statements is loaded, installed and ours to
    read; "" where it is not."""
    found = _rows(
        """
        SELECT quote_ident(nspname) FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace
        WHERE extname = %s AND has_schema_privilege(pg_namespace.oid, 'USAGE')
          AND current_setting('pg_stat_statements.track', true) IS NOT NULL
        """,
        LIBRARY,
    )
    return found[0][0] if found else ""


def slowest() -> list[Statement]:
    """Those that took most time together. Constants are not in them, nor what other roles asked."""
    schema = statements_schema()
    if not schema:
        return []
    found = _rows(
        f"""
        SELECT left(regexp_replace(query, '\\s+', ' ', 'g'), %s), sum(calls)::bigint,
            sum(total_exec_time) / greatest(sum(calls), 1), sum(total_exec_time),
            100 * sum(total_exec_time) / greatest(sum(sum(total_exec_time)) OVER (), 0.001)
        FROM {schema}.{LIBRARY}
        WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND query ~* '^\\s*(SELECT|INSERT|UPDATE|DELETE|WITH|COPY|MERGE)\\M'
        GROUP BY 1 ORDER BY 4 DESC LIMIT %s
        """,  # noqa: S608 - the schema is PostgreSQL's own word, quoted by it
        LONGEST,
        SHOWN,
    )
    return [Statement(*row) for row in found]


def unused_indexes() -> list[Index]:
    """Those that no statement has used since PostgreSQL began to count. Unique ones are of use all the same:
    they keep a rule."""
    found = _rows(
        """
        SELECT stat.indexrelname, stat.relname, pg_relation_size(stat.indexrelid)
        FROM pg_stat_user_indexes AS stat JOIN pg_index USING (indexrelid)
        WHERE schemaname = 'public' AND idx_scan = 0 AND NOT indisunique
        ORDER BY 3 DESC, 1 LIMIT %s
        """,
        SHOWN,
    )
    return [Index(*row) for row in found]


def largest_tables() -> list[Table]:
    found = _rows(
        """
        SELECT relname, pg_total_relation_size(relid), n_live_tup, n_dead_tup FROM pg_stat_user_tables
        WHERE schemaname = 'public' ORDER BY 2 DESC, 1 LIMIT %s
        """,
        SHOWN,
    )
    return [Table(*row) for row in found]


def _rows(question: str, *facts) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(question, facts)
        return cursor.fetchall()
