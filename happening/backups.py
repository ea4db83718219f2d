"""Backups of the whole database, and their way back.

A backup is `pg_dump -Fc`: one snapshot, beside whoever books meanwhile. It gets its name only when it is
whole: `pg_restore` has read its list, and it is on the disk. It is restored into an empty database only, in
one transaction, without owners and privileges (`audit_permissions` gives those, and the history stays shut).
Then the database is asked whether everything holds that must: guards valid, rules checked, triggers on, and
each event's seats counted from their rows.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from django.db import connection

from bookings.guards import missing_guards
from bookings.proof import proofs
from events.models import Event
from happening import postgres_programs
from happening.database_roles import ARCHIVE

AT_ONCE = 500  # events


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
    postgres_programs.run("pg_dump", "-Fc", "-f", str(aside), on=used)
    tell("Reading its list ...")
    postgres_programs.run("pg_restore", "--list", str(aside), on=used)
    _sync(aside)
    aside.rename(file)
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
    postgres_programs.run("pg_restore", *whole, "-d", used.name, str(file), on=used)
    with connection.cursor() as cursor:
        cursor.execute(f"REVOKE EXECUTE ON FUNCTION {ARCHIVE} FROM PUBLIC")


def broken_promises() -> Iterator[str]:
    """What must hold of every database and does not hold of the one that is used; nothing if all is well."""
    for name, state in missing_guards().items():
        yield f"The guard index {name} is {state}."
    if count := _count("SELECT count(*) FROM pg_constraint WHERE NOT convalidated"):
        yield f"{count} rules are not checked for the rows that stand."
    if count := _count("SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'O'"):
        yield f"{count} triggers are switched off."
    events = list(Event.objects.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(events), AT_ONCE):
        for proof in proofs(events[start : start + AT_ONCE]):
            if not proof.holds:
                event = proof.event
                yield f"Event {event.pk} says {event.available_slots} seats left, not {proof.left}."


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
