"""Databases of their own beside the tests' one, on the same server, for what a transaction cannot undo."""

import os
from contextlib import contextmanager
from functools import cached_property
from itertools import count
from pathlib import Path

import psycopg
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from tests.schema import programs

OUR_APPS = ("orgs", "events", "bookings", "notifications")
ORIGINAL = [(app, "0001_original") for app in OUR_APPS]
FILES = Path(__file__).resolve().parents[2] / "docs" / "schema"

_numbers = count(1)


class Scratch:
    """One database; `template` is copied into it."""

    def __init__(self, blocker, *, template: "Scratch | None" = None):
        self._blocker = blocker
        worker = os.environ.get("PYTEST_XDIST_WORKER", "")
        self.name = f"{_beside()['NAME']}_scratch_{worker}{next(_numbers)}"
        copied = f' TEMPLATE "{template.name}"' if template else ""
        _administer(f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')
        _administer(f'CREATE DATABASE "{self.name}"{copied}')

    def drop(self) -> None:
        _administer(f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')

    def connect(self) -> psycopg.Connection:
        """A connection that commits each statement."""
        return _connect(self.name)

    def run_file(self, path: Path | str) -> str:
        """Run a file as people do, with psql and nothing else; returns what it said."""
        done = programs.run("psql", "--no-psqlrc", "--quiet", "-f", str(path), database=self)
        return done.stderr

    def dump(self, *options: str) -> str:
        """What pg_dump writes, without the lines that differ from run to run and from version to version."""
        text = programs.run("pg_dump", "--no-owner", *options, database=self).stdout
        passing = ("\\restrict", "\\unrestrict", "-- Dumped", "SET transaction_timeout")
        return "".join(line for line in text.splitlines(keepends=True) if not line.startswith(passing))

    def migrate(self, targets: list[tuple[str, str]] | None = None) -> None:
        """Bring our apps to `targets`; to their last migrations if none are given."""
        with self.django() as database:
            executor = MigrationExecutor(database)
            executor.migrate(
                targets or [leaf for app in OUR_APPS for leaf in executor.loader.graph.leaf_nodes(app)]
            )

    @contextmanager
    def django(self):
        """A Django connection to this database, under an alias of its own. Of itself it waits long for locks,
        so that whoever is to give up soon has to say so."""
        settings = _beside()
        patient = {**settings["OPTIONS"], "options": "-c lock_timeout=60s -c timezone=UTC"}
        connections.databases[self.name] = {**settings, "NAME": self.name, "OPTIONS": patient}
        try:
            with self._blocker.unblock():
                yield connections[self.name]
        finally:
            connections[self.name].close()
            del connections[self.name]
            del connections.databases[self.name]

    @cached_property
    def server_version(self) -> int:
        with self.connect() as connection:
            return connection.info.server_version // 10_000

    @property
    def environment(self) -> dict[str, str]:
        """What tells PostgreSQL's programs where this database is."""
        settings = _beside()
        facts = {
            "PGHOST": settings["HOST"],
            "PGPORT": settings["PORT"],
            "PGUSER": settings["USER"],
            "PGPASSWORD": settings["PASSWORD"],
            "PGDATABASE": self.name,
        }
        return {name: str(fact) for name, fact in facts.items() if fact}


def _beside() -> dict:
    """The settings of the tests' own database."""
    return connections["default"].settings_dict


def _connect(name: str) -> psycopg.Connection:
    settings = _beside()
    return psycopg.connect(
        host=settings["HOST"] or None,
        port=settings["PORT"] or None,
        user=settings["USER"] or None,
        password=settings["PASSWORD"] or None,
        dbname=name,
        options="-c timezone=UTC -c lock_timeout=30s",
        autocommit=True,
    )


def _administer(sql: str) -> None:
    with _connect(_beside()["NAME"]) as connection:
        connection.execute(sql)
