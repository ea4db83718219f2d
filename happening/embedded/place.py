"""Where the servers' data, sockets and secrets lie. One place is one instance: it has one keeper.

.data/                    locks, logs, and, unless root cannot share it, everything below
.data/servers.path        where the servers' data are when not here (see `account`)
<servers>/postgres/       the cluster          <servers>/valkey/   the append-only file
<servers>/secrets.json    passwords and the instance's id, generated once
/tmp/happening-<uid>/<hash of .data>/          sockets; short, since a socket's path ends at 108 bytes
"""

import hashlib
import json
import os
import secrets
import stat
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from . import account
from .errors import ServersUnavailable

SHORT_DIRECTORIES = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108 - only ever a private directory in it


@dataclass(frozen=True)
class Place:
    """`data` is the instance's directory. What is not `durable` is made for speed: tests."""

    data: Path
    durable: bool = True

    def open(self) -> "Place":
        """Make the directory, or say why it cannot be used."""
        try:
            self.data.mkdir(parents=True, exist_ok=True, mode=0o711 if os.geteuid() == 0 else 0o700)
            (self.data / "log").mkdir(exist_ok=True, mode=0o700)
        except OSError as error:
            raise ServersUnavailable(
                f"{self.data} cannot be used ({error.strerror}). Give it to yourself, or set "
                "HAPPENING_DATA to a directory of yours."
            ) from error
        return self

    @cached_property
    def account(self) -> account.Account | None:
        return account.for_servers(data_of=self.servers / "postgres")

    @cached_property
    def servers(self) -> Path:
        """The directory of the servers' data, made and remembered the first time."""
        remembered = self.data / "servers.path"
        if remembered.exists():
            return Path(remembered.read_text().strip())
        if os.geteuid() == 0 and not account.for_servers(data_of=self.data / "postgres").reaches(self.data):
            elsewhere = account.shared_directory(secrets.token_hex(6))
            remembered.write_text(f"{elsewhere}\n")
            return elsewhere
        return self.data

    @cached_property
    def secrets(self) -> dict[str, str]:
        """Keys `postgres`, `valkey` (passwords) and `instance`. Written once, under the starters' lock."""
        path = self.servers / "secrets.json"
        if not path.exists():
            made = {"postgres": secrets.token_hex(16), "valkey": secrets.token_hex(16)}
            with tempfile.NamedTemporaryFile("w", dir=self.servers, delete=False) as file:  # made 0600
                json.dump(made | {"instance": f"h{secrets.token_hex(3)}"}, file)
            os.replace(file.name, path)
        return json.loads(path.read_text())

    @cached_property
    def runtime(self) -> Path:
        """The directory of the keeper's socket, for this user alone (and traversed by the servers')."""
        name = hashlib.sha256(str(self.data.resolve()).encode()).hexdigest()[:12]
        return _private(own_runtime() / name)

    @property
    def sockets(self) -> Path:
        """The directory of the servers' sockets, theirs alone."""
        return self.make(self.runtime / "servers")

    @property
    def control(self) -> Path:
        return self.runtime / "keeper"

    @property
    def starting(self) -> Path:
        """The lock of those who start something here."""
        return self.data / "starting.lock"

    def make(self, directory: Path) -> Path:
        """Create a directory that belongs to the servers alone."""
        if not directory.exists():
            directory.mkdir(mode=0o700)
            if self.account:
                self.account.owns(directory)
        return directory

    def log(self, name: str) -> Path:
        return self.data / "log" / f"{name}.log"


def is_embedded(url: str) -> bool:
    """Whether a service's URL is that of an embedded server."""
    return f"{own_runtime()}/" in url


def own_runtime() -> Path:
    """This user's short directory: made if need be, never one that another user made."""
    for parent in SHORT_DIRECTORIES:
        if os.access(parent, os.W_OK | os.X_OK):
            try:
                return _private(Path(parent) / f"happening-{os.geteuid()}")
            except (OSError, ServersUnavailable) as error:
                reason = error
    raise ServersUnavailable(f"No short directory for sockets below {', '.join(SHORT_DIRECTORIES)}: {reason}")


def _private(directory: Path) -> Path:
    mode = 0o711 if os.geteuid() == 0 else 0o700
    try:
        directory.mkdir(mode=mode)
        directory.chmod(mode)  # whatever the umask
    except FileExistsError:
        found = directory.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o066:
            raise ServersUnavailable(f"{directory} belongs to somebody else; remove it.") from None
    return directory
