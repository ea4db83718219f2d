"""Running PostgreSQL's own programs against a database of a test's own."""

import os
import subprocess

from happening import postgres_programs


def run(name: str, *arguments: str, database, check: bool = True) -> subprocess.CompletedProcess:
    """Run `psql` or `pg_dump` against `database` (a `Scratch`)."""
    done = subprocess.run(
        [postgres_programs.find(name, server=database.server_version), *arguments],
        env={**os.environ, **database.environment},
        capture_output=True,
        text=True,
        timeout=120,
    )
    if check and done.returncode:
        raise AssertionError(f"{name} {' '.join(arguments)} failed:\n{done.stderr}")
    return done
