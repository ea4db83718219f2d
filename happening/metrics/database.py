"""PostgreSQL about itself. What only an extension knows is missing where that is not installed, and a figure
says so."""

from collections.abc import Callable, Iterable, Iterator

from django.db import connection, transaction
from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from happening.staff.database import statements_schema

LIMIT = "2s"  # for each statement
STATEMENTS = 20  # the slowest ones by the time they took together
LONGEST = 120  # characters of a statement


def within_limits(question: Callable[[], Iterable[Metric]]) -> list[Metric]:
    """Ask within a transaction that changes nothing and ends by itself."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = '{LIMIT}'")
            cursor.execute("SET LOCAL transaction_read_only = on")
        return list(question())


def server() -> Iterator[Metric]:
    [facts] = _rows(
        """
        SELECT pg_database_size(current_database()), xact_commit, xact_rollback, deadlocks,
               blks_hit, blks_read, current_setting('max_connections')::int
        FROM pg_stat_database WHERE datname = current_database()
        """
    )
    size, commits, rollbacks, deadlocks, hit, read, most = facts
    yield GaugeMetricFamily("happening_database_size_bytes", "Size of the database.", value=size)
    transactions = CounterMetricFamily(
        "happening_database_transactions", "Transactions by how they ended.", labels=["end"]
    )
    transactions.add_metric(["commit"], commits)
    transactions.add_metric(["rollback"], rollbacks)
    yield transactions
    yield CounterMetricFamily("happening_database_deadlocks", "Deadlocks.", value=deadlocks)
    blocks = CounterMetricFamily(
        "happening_database_blocks", "Blocks by where they were found.", labels=["in"]
    )
    blocks.add_metric(["memory"], hit)
    blocks.add_metric(["disk"], read)
    yield blocks
    yield GaugeMetricFamily("happening_database_connections_most", "max_connections.", value=most)


def sessions() -> Iterator[Metric]:
    found = _rows(
        """
        SELECT coalesce(state, 'other'), count(*), coalesce(max(extract(epoch FROM now() - xact_start)), 0)
        FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() GROUP BY 1
        """
    )
    states = GaugeMetricFamily("happening_database_connections", "Sessions by state.", labels=["state"])
    for state, count, _oldest in found:
        states.add_metric([state], count)
    yield states
    oldest = max((float(oldest) for *_, oldest in found), default=0)
    words = "Age of the oldest open transaction that this role may see."
    yield GaugeMetricFamily("happening_database_oldest_transaction_seconds", words, value=oldest)


def tables() -> Iterator[Metric]:
    found = _rows(
        """
        SELECT relname, n_live_tup, n_dead_tup, seq_scan, coalesce(idx_scan, 0) FROM pg_stat_user_tables
        WHERE schemaname = 'public' AND (seq_scan > 0 OR n_live_tup > 0)
        """
    )
    rows = GaugeMetricFamily(
        "happening_database_rows", "Rows, as PostgreSQL estimates them.", labels=["table", "rows"]
    )
    scans = CounterMetricFamily("happening_database_scans", "Scans by way.", labels=["table", "by"])
    for table, live, dead, sequential, by_index in found:
        rows.add_metric([table, "live"], live)
        rows.add_metric([table, "dead"], dead)
        scans.add_metric([table, "whole"], sequential)
        scans.add_metric([table, "index"], by_index)
    yield from (rows, scans)


def indexes() -> Iterator[Metric]:
    """How often each index was used, and whether it is one that a rule needs, which is of use unread."""
    found = _rows(
        """
        SELECT stat.relname, stat.indexrelname, stat.idx_scan, pg_relation_size(stat.indexrelid),
               indisunique OR indisprimary, indisvalid
        FROM pg_stat_user_indexes AS stat JOIN pg_index USING (indexrelid) WHERE schemaname = 'public'
        """
    )
    scans = CounterMetricFamily(
        "happening_database_index_scans", "Uses of an index.", labels=["table", "index", "rule"]
    )
    sizes = GaugeMetricFamily(
        "happening_database_index_bytes", "Size of an index.", labels=["table", "index"]
    )
    for table, index, count, size, is_rule, _valid in found:
        scans.add_metric([table, index, "yes" if is_rule else "no"], count)
        sizes.add_metric([table, index], size)
    invalid = sum(not valid for *_, valid in found)
    yield from (scans, sizes)
    yield GaugeMetricFamily(
        "happening_database_invalid_indexes", "Indexes that guard nothing.", value=invalid
    )


def statements() -> Iterator[Metric]:
    """The statements that took most time together, from pg_stat_statements."""
    schema = statements_schema()
    words = "Whether pg_stat_statements is installed and loaded."
    yield GaugeMetricFamily("happening_database_statements_known", words, value=float(bool(schema)))
    if not schema:
        return
    slowest = _rows(
        f"""
        SELECT queryid::text, query, sum(calls), sum(total_exec_time) / 1000
        FROM {schema}.pg_stat_statements
        WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND queryid IS NOT NULL
          AND query ~* '^\\s*(SELECT|INSERT|UPDATE|DELETE|WITH|COPY|MERGE)'
        GROUP BY 1, 2 ORDER BY 4 DESC LIMIT %s
        """,  # noqa: S608 - the schema is PostgreSQL's own word, quoted by it
        [STATEMENTS],
    )
    calls = CounterMetricFamily(
        "happening_database_statement_calls", "Calls of the slowest.", labels=["id", "statement"]
    )
    seconds = CounterMetricFamily(
        "happening_database_statement_seconds", "Time that they took.", labels=["id", "statement"]
    )
    for number, text, count, took in slowest:
        labels = [number, " ".join(text.split())[:LONGEST]]
        calls.add_metric(labels, float(count))
        seconds.add_metric(labels, float(took))
    yield from (calls, seconds)


def _rows(query: str, parameters: Iterable = ()) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(query, list(parameters) or None)
        return cursor.fetchall()
