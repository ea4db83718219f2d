"""Who runs the servers. PostgreSQL refuses to run as root, so for root it is another account.

Nothing is created and no directory is opened up for it: where the account cannot reach a path (a
checkout below /root, say), the servers' data and binaries go to SHARED, which it can.
"""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .errors import ServersUnavailable

SHARED = Path("/var/lib/happening")
UNPRIVILEGED = ("nobody", "daemon", "postgres")


@dataclass(frozen=True)
class Account:
    """A user of this machine other than root, by whose rights a server runs."""

    name: str
    uid: int
    gid: int

    def popen_arguments(self) -> dict:
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def reaches(self, path: Path) -> bool:
        """Whether this account may read the file or enter the directory; tried, not computed."""
        test = "-x" if path.is_dir() else "-r"
        done = subprocess.run(
            ["/bin/sh", "-c", f'test {test} "$1"', "sh", str(path)], cwd="/", **self.popen_arguments()
        )
        return done.returncode == 0

    def owns(self, path: Path) -> None:
        os.chown(path, self.uid, self.gid)


def for_servers(*, data_of: Path) -> Account | None:
    """The account for the servers whose data lie in `data_of`; None is the user who asks."""
    if os.geteuid() != 0:
        return None
    if data_of.exists() and data_of.stat().st_uid != 0:  # made by somebody already: stay with them
        return _account(pwd.getpwuid, data_of.stat().st_uid)
    for name in UNPRIVILEGED:
        account = _account(pwd.getpwnam, name)
        if account and account.uid != 0:
            return account
    raise ServersUnavailable(
        "PostgreSQL does not run as root, and this machine has no account named "
        f"{', '.join(UNPRIVILEGED)}. Run as another user, or set DATABASE_URL and REDIS_URL."
    )


def shared_directory(name: str) -> Path:
    """A directory in SHARED that every account may pass through, whatever root's umask."""
    for directory in (SHARED, SHARED / name):
        if not directory.exists():
            directory.mkdir()
            directory.chmod(0o711)
    return SHARED / name


def _account(look_up, key: str | int) -> Account | None:
    try:
        entry = look_up(key)
    except KeyError:
        return None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
