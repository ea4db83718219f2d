"""What the repository says of the containers: the compose file, the Dockerfile, .dockerignore."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path

import yaml

from tests.faults.ports import HOST, free_port

ROOT = Path(__file__).parents[3]
SECRETS = "/run/secrets/"
# Where each service listens for others, as it is spelled in URLs and configurations.
PLACES = ("postgres:5432", "pgbouncer:6432", "redis:6379", "rabbitmq:5672", "mail:1025", "keycloak:8080")
DOORS = ("proxy:8080", "proxy:8081", "proxy:8443")


class Compose:
    """The compose file, read as for the site at `site_url`, with its names put where things are here.

    Args:
        place: a directory that every account may pass through, for secrets and written configurations.
    """

    def __init__(self, place: Path) -> None:
        self.place = place
        self.ports = {each: free_port() for each in PLACES + DOORS}
        self.variables = {
            "SITE_URL": self.site_url,
            "HTTPS_PORT": str(self.ports["proxy:8443"]),
        }

    @property
    def site_url(self) -> str:
        return f"https://localhost:{self.ports['proxy:8443']}"

    @cached_property
    def services(self) -> dict:
        text = (ROOT / "docker-compose.yml").read_text()
        filled_in = re.sub(
            r"(?<!\$)\$\{([A-Z_]+)(?::-([^}]*))?\}", lambda m: self.variables.get(m[1], m[2] or ""), text
        )
        return yaml.safe_load(filled_in)["services"]

    def environment(self, service: str) -> dict[str, str]:
        return {
            name: self.here(str(value))
            for name, value in self.services[service].get("environment", {}).items()
        }

    def here(self, text: str) -> str:
        """The same for this machine: names with ports, and where secrets and files lie."""
        for place, port in self.ports.items():
            text = text.replace(place, f"{HOST}:{port}")
        return text.replace(SECRETS, f"{self.secrets}/")

    def configuration(self, path: str) -> str:
        """A file below deploy/."""
        return self.here((ROOT / "deploy" / path).read_text())

    @property
    def secrets(self) -> Path:
        return self.place / "secrets"

    def secret(self, name: str) -> str:
        return (self.secrets / name).read_text().strip()

    def make_secrets(self) -> None:
        """By deploy/make-secrets in a copy of deploy/; then each file where its container would see it."""
        deploy = self.place / "deploy"
        shutil.copytree(ROOT / "deploy", deploy, ignore=shutil.ignore_patterns("secrets"))
        environment = os.environ | {"SITE_URL": self.site_url}
        subprocess.run(["sh", deploy / "make-secrets"], env=environment, check=True, capture_output=True)
        self.secrets.mkdir()
        self.secrets.chmod(0o755)
        for made in (deploy / "secrets").iterdir():
            seen = self.secrets / made.name
            seen.write_text(self.here(made.read_text()))
            seen.chmod(0o644)


class Image:
    """The directory /app of the image, made by the Dockerfile's own lines, with the tests' Python."""

    def __init__(self, place: Path) -> None:
        self.app, self.passing = place / "app", place / "passing"
        self.volumes = {"/data": place / "files", "/metrics": place / "metrics"}

    @cached_property
    def lines(self) -> list[tuple[str, str]]:
        """The instructions of the last stage."""
        text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
        lines = [line.split(None, 1) for line in re.sub(r"\\\n\s*", "", text).splitlines() if line]
        begins = max(number for number, (word, _) in enumerate(lines) if word == "FROM")
        return [(word, rest) for word, rest in lines[begins:]]

    def environment(self, more: dict[str, str]) -> dict[str, str]:
        """What the image sets and `more`, with volumes and /tmp where they are here."""
        words = [word for name, rest in self.lines if name == "ENV" for word in shlex.split(rest)]
        said = dict(word.split("=", 1) for word in words) | more
        said = {name: str(self.volumes.get(value, value)) for name, value in said.items()}
        said["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        said["BEAT_SCHEDULE"] = said["BEAT_SCHEDULE"].replace("/tmp/", f"{self.passing}/")
        return said | {"HOST": HOST}

    def build(self) -> None:
        for directory in (self.passing, *self.volumes.values()):
            directory.mkdir()
        shutil.copytree(ROOT, self.app, ignore=self._left_out)
        for command in self._commands_in_app():
            subprocess.run(["sh", "-c", command], cwd=self.app, env=self.environment({}), check=True)

    def _commands_in_app(self) -> list[str]:
        words = [word for word, _ in self.lines]
        return [rest for word, rest in self.lines[words.index("WORKDIR") :] if word == "RUN"]

    @cached_property
    def _patterns(self) -> list[str]:
        lines = (ROOT / ".dockerignore").read_text().splitlines()
        return [line for line in lines if line and not line.startswith("#")]

    def _left_out(self, directory: str, names: list[str]) -> list[str]:
        below = Path(directory).relative_to(ROOT)
        return [
            name
            for name in names
            for pattern in self._patterns
            if (name == pattern[3:] if pattern.startswith("**/") else fnmatch(str(below / name), pattern))
        ]
