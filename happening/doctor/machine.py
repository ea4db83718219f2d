"""This machine: the interpreter, embedded servers that did not start, and room on the disks."""

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.db import connection

from happening.doctor.finding import Finding

OLDEST_PYTHON = (3, 11)
FREE_BYTES = 500_000_000


def python() -> Iterator[Finding]:
    old = sys.version_info < OLDEST_PYTHON
    mend = "Install Python 3.11 or newer, remove .venv and run `make install`." if old else ""
    yield Finding("Python", f"{platform.python_version()} at {sys.prefix}", mend)


def servers() -> Iterator[Finding]:
    if trouble := os.environ.get("HAPPENING_SERVERS_UNAVAILABLE"):
        says, _, mend = " ".join(trouble.split()).partition(". ")
        yield Finding("Servers", says, mend or "Mend what that says, and try again.")


def disks(*, least: int = FREE_BYTES) -> Iterator[Finding]:
    """One finding for each disk that something is written to. `least`: bytes that have to be free."""
    places = {"data": settings.DATA_DIR}
    if mails := getattr(settings, "EMAIL_FILE_PATH", None):
        places["mails"] = Path(mails)
    if settings.HISTORY_ARCHIVE:
        places["archive"] = Path(settings.HISTORY_ARCHIVE)
    yield from _on_disks(places, least=least)


def database_disk(*, least: int = FREE_BYTES) -> Iterator[Finding]:
    """The disk of PostgreSQL, where it is on this machine and says where its data are."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT CASE WHEN pg_has_role('pg_read_all_settings', 'USAGE')"
            " THEN current_setting('data_directory') END, inet_server_addr() IS NULL"
            " OR inet_server_addr() << '127.0.0.0/8' OR inet_server_addr() = '::1'"
        )
        directory, is_here = cursor.fetchone()
    if directory and is_here and Path(directory).exists():
        yield from _on_disks({"PostgreSQL": Path(directory)}, least=least)


def _on_disks(places: dict[str, Path], *, least: int) -> Iterator[Finding]:
    disks: dict[int, list[str]] = {}
    seen: dict[int, Path] = {}
    for name, path in places.items():
        there = next(parent for parent in (path, *path.parents) if parent.exists())
        disk = there.stat().st_dev
        disks.setdefault(disk, []).append(name)
        seen.setdefault(disk, there)
    for disk, names in disks.items():
        free = shutil.disk_usage(seen[disk]).free
        mend = f"Free some space on the disk of {seen[disk]}." if free < least else ""
        yield Finding("Disk", f"{free / 1e9:.1f} GB free at {seen[disk]} ({', '.join(names)})", mend)
