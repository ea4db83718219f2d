"""PostgreSQL: whether it answers, how it is set, what is connected, and whether the schema is today's."""

from collections.abc import Iterator

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from psycopg import sql

from happening.doctor.finding import Finding
from happening.doctor.look import POSTGRESQL, NotThere
from happening.doctor.words import first_line, is_nowhere, several, where

VERSIONS = range(15, 19)
FULL = 0.9  # of the connections there are
STUCK_MINUTES = 5  # of a transaction that does nothing
OLD_TRANSACTIONS = 1_500_000_000  # of 2^31, at which PostgreSQL stops taking writes


def answers() -> Iterator[Finding]:
    if is_nowhere("DATABASE_URL"):
        raise NotThere("there is none", "Mend what stands under Servers.", because="there is no PostgreSQL")
    try:
        connection.ensure_connection()
        version = connection.pg_version
    except DatabaseError as error:
        mend = "Start PostgreSQL, or correct DATABASE_URL; without it `make run` starts one of its own."
        raise NotThere(
            f"{where('DATABASE_URL')} does not answer: {first_line(error)}",
            mend,
            because="PostgreSQL does not answer",
        ) from error
    known = version // 10_000 in VERSIONS
    says = f"{version // 10_000}.{version % 10_000}, {where('DATABASE_URL')}"
    yield Finding(
        POSTGRESQL, says, "" if known else "Use PostgreSQL 15 to 18: other versions are not tested."
    )


def settings_of_the_session() -> Iterator[Finding]:
    """What a connection of the application gets, by whatever way it was set."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('transaction_isolation'),"
            " current_setting('default_transaction_isolation'), current_setting('lock_timeout'),"
            " current_setting('session_replication_role'), current_setting('synchronous_commit'),"
            " current_setting('fsync'), current_setting('full_page_writes')"
        )
        isolation, by_default, patience, replication, commits, *flushes = cursor.fetchone()
    wrong_isolation = next((each for each in (isolation, by_default) if each != "read committed"), None)
    yield Finding(
        "Isolation",
        wrong_isolation or "read committed",
        _set("default_transaction_isolation", "read committed") if wrong_isolation else "",
    )
    if patience == "0":
        mend = _set("lock_timeout", "5s") + " (With DATABASE_POOLED a connection cannot ask for it itself.)"
        yield Finding("Lock timeout", "none, so that one stuck lock would hold everybody", mend)
    if replication != "origin":
        says = f"session_replication_role is {replication}, so no trigger and no foreign key holds"
        yield Finding("Triggers", says, _set("session_replication_role", "origin"))
    yield from _durability(commits, *flushes)


def _durability(commits: str, fsync: str, full_pages: str) -> Iterator[Finding]:
    if commits == "off":
        mend = _set("synchronous_commit", "on")
        yield Finding("Durability", "synchronous_commit is off: a crash may lose a confirmed seat", mend)
    for name, value in (("fsync", fsync), ("full_page_writes", full_pages)):
        if value == "off":
            mend = f"ALTER SYSTEM SET {name} = on; SELECT pg_reload_conf();"
            yield Finding("Durability", f"{name} is off: a power cut may break the database", mend)
    if "off" not in (commits, fsync, full_pages):
        yield Finding("Durability", f"each commit is on the disk (synchronous_commit {commits})")


def connections() -> Iterator[Finding]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), current_setting('max_connections')::int FROM pg_stat_activity"
            " WHERE backend_type = 'client backend'"
        )
        used, most = cursor.fetchone()
        cursor.execute(
            "SELECT pid, extract(epoch FROM clock_timestamp() - state_change)::int FROM pg_stat_activity"
            " WHERE datname = current_database() AND state LIKE 'idle in transaction%%'"
            " AND clock_timestamp() - state_change > make_interval(mins => %s) ORDER BY 2 DESC",
            [STUCK_MINUTES],
        )
        stuck = cursor.fetchall()
        cursor.execute("SELECT age(datfrozenxid) FROM pg_database WHERE datname = current_database()")
        [age] = cursor.fetchone()
    full = used > FULL * most
    mend = "Lower WEB_WORKERS or WEB_THREADS, or put PgBouncer in front (docs/deploy.md)." if full else ""
    yield Finding("Connections", f"{used} of {most} are in use", mend)
    for pid, seconds in stuck:
        says = f"process {pid} has had one open and done nothing for {seconds // 60} minutes"
        yield Finding("Transaction", says, f"SELECT pg_terminate_backend({pid});")
    if age > OLD_TRANSACTIONS:
        says = f"{age:,} transactions old; PostgreSQL stops writing soon"
        yield Finding("Vacuum", says, "Run `vacuumdb --freeze` on the database now.")


def migrations() -> Iterator[Finding]:
    executor = MigrationExecutor(connection)
    pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if not pending:
        yield Finding("Migrations", "all applied")
        return
    names = ", ".join(f"{migration.app_label}.{migration.name}" for migration, _ in pending[:3])
    more = " and more" if len(pending) > 3 else ""
    missing = several(len(pending), "is missing", "are missing")
    mend = "Run `python manage.py migrate`."
    raise NotThere(f"{missing}: {names}{more}", mend, because="migrations are missing")


def _set(name: str, value: str) -> str:
    """SQL that holds for this role in this database, wherever else it was set."""
    facts = connection.settings_dict
    written = sql.SQL("ALTER ROLE {} IN DATABASE {} SET {} = {};").format(
        sql.Identifier(facts["USER"] or "happening_app"),
        sql.Identifier(facts["NAME"]),
        sql.Identifier(name),
        sql.Literal(value),
    )
    return f"{written.as_string(None)} Then restart what is connected."
