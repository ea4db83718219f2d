"""The database roles that the application needs, as SQL that grants them and as a check of what stands.

- the **owner** makes and changes tables: migrations run as this role, nothing else does;
- the **runtime** role reads and writes rows, and no more: no tables, no TRUNCATE, no DELETE where nothing is
  ever deleted, and of what is only added to neither DELETE nor UPDATE;
- the **reports** role reads, but nothing by which somebody could sign in or be written to as somebody else.

What each may is said by the rules below for the tables that there are, so both are right after any migration:
write the SQL anew, or let the check say what is missing.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection
from psycopg import sql

WRITES = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"})
EVERYTHING = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")

ONLY_ADDED_TO = frozenset({"booking_history", "membership_history", "django_admin_log"})
# The lines of the admin's log stay, but their words may name somebody who has a right to be forgotten.
WORDS_TAKEN_BACK = {"django_admin_log": ("object_repr", "change_message")}
ONLY_READ = frozenset({"django_migrations", "event_booking_summary", "user_booking_summary"})
NEVER_DELETED = frozenset(
    {
        "bookings",
        "booking_seats",
        "event_jobs",
        "event_totals",
        "events",
        "notifications",
        "organizations",
        "users",
    }
)
# Nothing here tells what is on and who comes; all of it helps somebody to be somebody else.
KEPT_FROM_REPORTS = (
    "account_",
    "django_session",
    "mfa_",
    "oauth2_",
    "organization_invites",
    "oidc_",
    "spent_",
)
COLUMNS_KEPT_FROM_REPORTS = {"users": frozenset({"password", "session_epoch"})}
ARCHIVE = "archive_booking_history(timestamptz)"


@dataclass(frozen=True)
class Names:
    """What the three roles are called."""

    owner: str = "happening_owner"
    runtime: str = "happening_app"
    reports: str = "happening_reports"


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be, and the SQL, or the step, that mends it."""

    says: str
    mend: str


def runtime_privileges(table: str) -> frozenset[str]:
    """What the runtime role may do to a table or view."""
    if table in ONLY_READ:
        return frozenset({"SELECT"})
    if table in ONLY_ADDED_TO:
        return frozenset({"SELECT", "INSERT"})
    return WRITES - {"DELETE"} if table in NEVER_DELETED else WRITES


def is_for_reports(table: str) -> bool:
    return not table.startswith(KEPT_FROM_REPORTS)


def roles_sql(names: Names) -> Iterator[str]:
    """The roles themselves; give those that sign in a password, or have them come by certificate."""
    for role in (names.owner, names.runtime, names.reports):
        yield _written(
            "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {literal}) THEN "
            "CREATE ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE; END IF; END $$;",
            role=role,
        )


def ownership_sql(names: Names) -> Iterator[str]:
    """Everything that stands goes to the owner."""
    yield _written("GRANT CREATE, USAGE ON SCHEMA public TO {role};", role=names.owner)
    for table in _relations():
        yield _written("ALTER TABLE {table} OWNER TO {role};", table=table, role=names.owner)
    for function in _functions():
        yield _written("ALTER FUNCTION " + function + " OWNER TO {role};", role=names.owner)


def grants_sql(names: Names) -> Iterator[str]:
    """What runtime and reports may do, from nothing up; running it again puts it right."""
    yield "REVOKE CREATE ON SCHEMA public FROM PUBLIC;"
    for role in (names.runtime, names.reports):
        yield _written("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role};", role=role)
        yield _written("GRANT USAGE ON SCHEMA public TO {role};", role=role)
    yield _written("GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role};", role=names.runtime)
    for table in _relations():
        privileges = ", ".join(sorted(runtime_privileges(table)))
        yield _written(f"GRANT {privileges} ON {{table}} TO {{role}};", table=table, role=names.runtime)
        if columns := WORDS_TAKEN_BACK.get(table):
            grant = f"GRANT UPDATE ({', '.join(columns)}) ON {{table}} TO {{role}};"
            yield _written(grant, table=table, role=names.runtime)
        if is_for_reports(table):
            columns = _columns_for_reports(table)
            yield _written(
                f"GRANT SELECT{columns} ON {{table}} TO {{role}};", table=table, role=names.reports
            )
    yield f"REVOKE EXECUTE ON FUNCTION {ARCHIVE} FROM PUBLIC;"


def findings(names: Names) -> Iterator[Finding]:
    """What is not so in the database that this runs on; nothing if all is well."""
    there = _attributes([names.owner, names.runtime, names.reports])
    for role in (names.owner, names.runtime, names.reports):
        if role not in there:
            yield Finding(f"There is no role {role}.", "manage.py audit_permissions --sql | psql")
        elif there[role]:
            mend = f"ALTER ROLE {role} NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS NOREPLICATION;"
            yield Finding(f"{role} may do what nobody of the application should: {there[role]}.", mend)
    if names.runtime in there:
        yield from _about_runtime(names)
    if names.reports in there:
        yield from _about_reports(names)
    yield from _about_this_connection(names)


def _about_runtime(names: Names) -> Iterator[Finding]:
    role = names.runtime
    for table in _relations():
        held, wanted = _held(role, table), runtime_privileges(table)
        if excess := held - wanted:
            words = ", ".join(sorted(excess))
            yield Finding(f"{role} may {words} on {table}.", f"REVOKE {words} ON {table} FROM {role};")
        if missing := wanted - held:
            words = ", ".join(sorted(missing))
            yield Finding(f"{role} may not {words} on {table}.", f"GRANT {words} ON {table} TO {role};")
        for column in WORDS_TAKEN_BACK.get(table, ()):
            if not _may(role, "UPDATE", table, column):
                mend = f"GRANT UPDATE ({column}) ON {table} TO {role};"
                yield Finding(f"{role} may not UPDATE {column} of {table}.", mend)
    if _value("SELECT has_schema_privilege(%s, 'public', 'CREATE')", role):
        mend = f"REVOKE CREATE ON SCHEMA public FROM PUBLIC, {role};"
        yield Finding(f"{role} may make tables.", mend)
    if _value("SELECT has_function_privilege(%s, %s, 'EXECUTE')", role, ARCHIVE):
        mend = f"REVOKE EXECUTE ON FUNCTION {ARCHIVE} FROM PUBLIC, {role};"
        yield Finding(f"{role} may take lines out of the history.", mend)
    owned = "SELECT count(*) FROM pg_class WHERE relowner = to_regrole(%s) AND relkind IN ('r', 'v')"
    if _value(owned, role):
        yield Finding(
            f"{role} owns tables, so it may do everything to them.", f"REASSIGN them to {names.owner}."
        )


def _about_reports(names: Names) -> Iterator[Finding]:
    role = names.reports
    for table in _relations():
        may_read = {column for column in _columns(table) if _may(role, "SELECT", table, column)}
        secret = may_read if not is_for_reports(table) else may_read & _secret_columns(table)
        if secret:
            words = ", ".join(sorted(secret))
            yield Finding(f"{role} may read {words} of {table}.", f"REVOKE ALL ON {table} FROM {role};")
        if written := _held(role, table) - {"SELECT"}:
            words = ", ".join(sorted(written))
            yield Finding(f"{role} may {words} on {table}.", f"REVOKE {words} ON {table} FROM {role};")


def _about_this_connection(names: Names) -> Iterator[Finding]:
    user = _value("SELECT current_user")
    if user in (names.owner, names.runtime):
        return
    if _value("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):
        yield Finding(
            f"This runs as {user}, who may do everything.",
            f"Let DATABASE_URL of the application name {names.runtime}, and of migrations {names.owner}.",
        )


def _attributes(roles: list[str]) -> dict[str, str]:
    """Of the roles that there are: which of a server's great powers they hold, in words."""
    powers = ("rolsuper", "rolcreatedb", "rolcreaterole", "rolbypassrls", "rolreplication")
    rows = _rows(f"SELECT rolname, {', '.join(powers)} FROM pg_roles WHERE rolname = ANY(%s)", roles)  # noqa: S608
    return {
        name: ", ".join(
            power.removeprefix("rol") for power, is_held in zip(powers, held, strict=True) if is_held
        )
        for name, *held in rows
    }


def _held(role: str, table: str) -> frozenset[str]:
    asked = "SELECT name FROM unnest(%s::text[]) AS name WHERE has_table_privilege(%s, %s::regclass, name)"
    return frozenset(name for [name] in _rows(asked, list(EVERYTHING), role, f"public.{table}"))


def _may(role: str, deed: str, table: str, column: str) -> bool:
    return _value(
        "SELECT has_column_privilege(%s, %s::regclass, %s, %s)", role, f"public.{table}", column, deed
    )


def _relations() -> list[str]:
    """Tables and views of the schema, Django's and its libraries' among them."""
    return [
        name
        for [name] in _rows(
            "SELECT relname FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v') ORDER BY relname"
        )
    ]


def _functions() -> list[str]:
    """Those of ours, not of extensions."""
    return [
        signature
        for [signature] in _rows(
            "SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
            " AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e') ORDER BY 1"
        )
    ]


def _columns(table: str) -> list[str]:
    asked = (
        "SELECT attname FROM pg_attribute"
        " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
    )
    return [name for [name] in _rows(asked, f"public.{table}")]


def _secret_columns(table: str) -> frozenset[str]:
    return COLUMNS_KEPT_FROM_REPORTS.get(table, frozenset())


def _columns_for_reports(table: str) -> str:
    secret = _secret_columns(table)
    if not secret:
        return ""
    return " (" + ", ".join(column for column in _columns(table) if column not in secret) + ")"


def _written(template: str, *, role: str, table: str = "") -> str:
    return (
        sql.SQL(template)
        .format(role=sql.Identifier(role), literal=sql.Literal(role), table=sql.Identifier("public", table))
        .as_string(None)
    )


def _rows(asked: str, *facts) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(asked, facts)
        return cursor.fetchall()


def _value(asked: str, *facts):
    [[value]] = _rows(asked, *facts)
    return value
