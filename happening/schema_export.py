"""The schema as SQL: the two files that make it without Django, and whether a database has just that.

The files are those under `docs/schema`, which a test holds equal to the migrations. The comparison makes an
empty database beside the used one, runs the files there, and compares what `pg_dump -s` says of both; tables
that the files do not make (Django's, the libraries') are left out, and so are owners and privileges.
"""

from difflib import unified_diff
from pathlib import Path

from django.conf import settings

from happening import postgres_programs
from happening.postgres_programs import Target

DIRECTORY = Path(settings.BASE_DIR) / "docs" / "schema"
FILES = {"original": DIRECTORY / "schema.sql", "improved": DIRECTORY / "schema_improved.sql"}


def differences() -> list[str]:
    """The lines in which the used database's schema is not that of the files: `+` stands in the database
    alone, `-` in the files alone.

    Raises:
        ProgramFailed, psycopg.Error: the role may not make a database, say.
    """
    with postgres_programs.passing() as made:
        for file in FILES.values():
            arguments = ("--no-psqlrc", "--quiet", "-v", "ON_ERROR_STOP=1", "-f", str(file))
            postgres_programs.run("psql", *arguments, on=made)
        wanted, foreign = _schema(made), _relations(postgres_programs.used()) - _relations(made)
    stands = _schema(postgres_programs.used(), without=foreign)
    diff = unified_diff(
        wanted.splitlines(), stands.splitlines(), "the files", "the database", lineterm="", n=0
    )
    return list(diff)


def _schema(target: Target, *, without: frozenset[str] = frozenset()) -> str:
    left_out = [f'--exclude-table="{name}"' for name in sorted(without)]
    arguments = ("--schema-only", "--no-owner", "--no-privileges", "--schema=public", *left_out)
    return postgres_programs.without_passing_lines(postgres_programs.run("pg_dump", *arguments, on=target))


def _relations(target: Target) -> frozenset[str]:
    with target.connect() as link:
        rows = link.execute(
            "SELECT relname FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'S')"
        )
        return frozenset(name for [name] in rows)
