"""PostgreSQL on a private socket, with a password.

Commits are flushed to disk where the place is durable, so that neither a killed server nor a power cut
takes back what was confirmed. A cluster is made aside and renamed, so that it is whole or not there.
"""

import os
import shutil
import signal
import subprocess
from functools import cached_property
from pathlib import Path

import psycopg

from . import binaries
from .errors import ServersUnavailable
from .server import Server

USER = DATABASE = "happening"
PORT = 5432  # only a part of the socket's name
STATEMENTS = "pg_stat_statements"
FAST_TO_LOSE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Postgres(Server):
    name = "postgres"
    stop_signal = signal.SIGINT  # "fast": ends sessions, writes a checkpoint, needs no recovery

    @cached_property
    def programs(self) -> Path:
        made_by = self.data / "PG_VERSION"
        version = int(made_by.read_text()) if made_by.exists() else None
        return binaries.postgres(account=self.place.account, version=version)

    def prepare(self) -> None:
        if self.data.exists():
            self._forget_the_dead()
            return
        aside, password = self.data.with_name("postgres.new"), self.data.with_name("postgres.password")
        shutil.rmtree(aside, ignore_errors=True)  # left by one who was killed in the middle
        self.place.make(aside)
        self._write_for_server(password, self.place.secrets["postgres"])
        try:
            self._initdb(aside, password)
        finally:
            password.unlink()
        aside.rename(self.data)

    def command(self) -> list[str]:
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.place.sockets),
            "unix_socket_permissions": "0700",
            "port": str(PORT),
            "max_connections": "150",
            "shared_buffers": "64MB",
            "log_line_prefix": "%m [%p] ",
            "log_timezone": "UTC",
            "timezone": "UTC",
        }
        if self._can_watch:
            options["shared_preload_libraries"] = STATEMENTS
        if not self.place.durable:
            options |= FAST_TO_LOSE
        words = [word for key, value in options.items() for word in ("-c", f"{key}={value}")]
        return [str(self.programs / "postgres"), "-D", str(self.data), *words]

    def answers(self) -> bool:
        try:
            with self._connect("postgres") as connection:
                self._ensure_database(connection)
            if self._can_watch:
                with self._connect(DATABASE) as connection:
                    self._ensure_statements(connection)
        except psycopg.OperationalError:
            return False
        return True

    def environment(self) -> dict[str, str]:
        password = self.place.secrets["postgres"]
        return {"DATABASE_URL": f"postgres://{USER}:{password}@/{DATABASE}?host={self.place.sockets}"}

    def _connect(self, database: str) -> psycopg.Connection:
        return psycopg.connect(
            host=str(self.place.sockets),
            port=PORT,
            user=USER,
            password=self.place.secrets["postgres"],
            dbname=database,
            connect_timeout=5,
            autocommit=True,
        )

    def _ensure_database(self, connection: psycopg.Connection) -> None:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
        if not known.fetchone():
            connection.execute(f'CREATE DATABASE "{DATABASE}"')

    @cached_property
    def _can_watch(self) -> bool:
        """Whether the library is there that knows which statements are slow (some packages leave it out)."""
        return (self.programs.parent / "lib" / f"{STATEMENTS}.so").exists()

    def _ensure_statements(self, connection: psycopg.Connection) -> None:
        """In a schema of its own, as deploy/postgres/roles.sh has it."""
        connection.execute("CREATE SCHEMA IF NOT EXISTS watching")
        connection.execute(f"CREATE EXTENSION IF NOT EXISTS {STATEMENTS} SCHEMA watching")

    def _initdb(self, directory: Path, password: Path) -> None:
        version = binaries.major_version(self.programs / "postgres")
        # Case folding beyond ASCII without the machine's locales: built in since 17.
        locale = ["--locale=C.UTF-8"]
        if version >= 17:
            locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        done = subprocess.run(
            [
                self.programs / "initdb",
                f"--pgdata={directory}",
                f"--username={USER}",
                f"--pwfile={password}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                *locale,
                *([] if self.place.durable else ["--no-sync"]),
            ],
            cwd="/",
            env={"PATH": os.defpath, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **(self.place.account.popen_arguments() if self.place.account else {}),
        )
        if done.returncode != 0:
            raise ServersUnavailable(f"PostgreSQL could not make its data in {directory}:\n{done.stdout}")

    def _forget_the_dead(self) -> None:
        """Remove what a postmaster of ours that was killed left behind.

        PostgreSQL itself goes by the process number in these files, which a zombie still has and a later
        process may get. Ours is known to be dead, since the lock is free. The note in the data of one
        that we did not start is left for PostgreSQL to judge.
        """
        for left in self.place.sockets.glob(".s.PGSQL.*"):
            left.unlink()
        note = self.data / "postmaster.pid"
        if note.exists() and note.read_text().split()[:1] == self.lock_file.read_text().split():
            note.unlink()

    def _write_for_server(self, path: Path, text: str) -> None:
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w") as file:
            file.write(text)
        if self.place.account:
            self.place.account.owns(path)
