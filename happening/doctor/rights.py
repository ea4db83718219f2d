"""Whether the roles of the database may what they should, and no more (`happening.database_roles`)."""

from collections.abc import Iterator

from django.conf import settings
from django.db import connection

from happening import database_roles
from happening.database_roles import Names
from happening.doctor.finding import Finding


def look(names: Names | None = None) -> Iterator[Finding]:
    names = names or Names()
    if settings.DEVELOPMENT and not _is_there(names.runtime):
        yield Finding("Rights", "one role for everything, as is usual in development")
        return
    found = list(database_roles.findings(names))
    for one in found:
        yield Finding("Rights", one.says.rstrip("."), one.mend)
    if not found:
        yield Finding("Rights", "every role may what it should, and no more")


def _is_there(role: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = %s)", [role])
        return cursor.fetchone()[0]
