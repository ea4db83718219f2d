"""Backups of the whole database, and their way back.

A backup is `pg_dump -Fc`: one snapshot, beside whoever books meanwhile. It gets its name only when it is
whole: `pg_restore` has read its list, and it is on the disk. It is restored into an empty database only, in
one transaction, without owners and privileges (`audit_permissions` gives those, and the history stays shut).
Then the doctor looks whether everything holds that must: every guard there, valid and on, and every invariant
counted from the rows.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from django.db import connection

from happening import doctor, postgres_programs
from happening.database_roles import ARCHIVE

PATIENCE = 1_800.0  # seconds for each look at what was restored


class NotEmpty(Exception):
    """There are tables in the database already."""


def backup(file: Path, *, tell: Callable[[str], None]) -> int:
    """Write a backup; returns its size in bytes.

    Args:
        tell: is given a line at each step.

    Raises:
        FileExistsError, OSError, ProgramFailed.
    """
    if file.exists():
        raise FileExistsError(f"{file} is there already.")
    aside = file.with_name(f".{file.name}.part")
    used = postgres_programs.used()
    tell(f"Dumping {used.name} ...")
    aside.touch(mode=0o600)  # it holds everybody's addresses
    try:
        postgres_programs.run("pg_dump", "-Fc", "-f", str(aside), on=used)
        tell("Reading its list ...")
        postgres_programs.run("pg_restore", "--list", str(aside), on=used)
        _sync(aside)
        aside.rename(file)
    finally:
        aside.unlink(missing_ok=True)
    _sync(file.parent)
    return file.stat().st_size


def restore(file: Path, *, tell: Callable[[str], None]) -> None:
    """Restore a backup into the database that is used, all of it or nothing.

    Raises:
        FileNotFoundError, NotEmpty, ProgramFailed.
    """
    if not file.is_file():
        raise FileNotFoundError(f"There is no file {file}.")
    used = postgres_programs.used()
    if _count("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"):
        raise NotEmpty(f"There are tables in {used.name}; a backup is restored into an empty database only.")
    tell(f"Restoring into {used.name} ...")
    whole = ("--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges")
    with tempfile.NamedTemporaryFile("w", suffix=".list") as contents:
        contents.write(_without_watching(postgres_programs.run("pg_restore", "--list", str(file), on=used)))
        contents.flush()
        postgres_programs.run("pg_restore", *whole, "-L", contents.name, "-d", used.name, str(file), on=used)
    with connection.cursor() as cursor:
        cursor.execute(f"REVOKE EXECUTE ON FUNCTION {ARCHIVE} FROM PUBLIC")


def _without_watching(contents: str) -> str:
    """A backup's list of contents without what the server's administrator installs to watch it, and may only
    be installed by one."""
    lines = contents.splitlines(keepends=True)
    return "".join(line for line in lines if " EXTENSION " not in line and " SCHEMA - watching " not in line)


def examined() -> Iterator[doctor.Finding]:
    """What the doctor finds in the database that is used: its guards, and what must be true of its rows. A
    large one may take its time."""
    yield from doctor.findings_of_the_database(patience=PATIENCE)


def _count(question: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(question)
        return cursor.fetchone()[0]


def _sync(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
