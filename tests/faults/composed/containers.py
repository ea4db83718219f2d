"""Happening's own services: the command of each, by the image's entry point, with nothing of the test's
environment."""

import os
import signal
import subprocess
import time
from pathlib import Path

from happening.embedded import child
from tests.faults.composed.files import Compose, Image
from tests.faults.ports import free_port
from tests.faults.programs import Program

READY_SECONDS = 90.0
PORT_OF = {"web": ("PORT", 8000), "live": ("LIVE_PORT", 8001)}
BROKERED = ("worker", "beat", "sender")


class Container(Program):
    """One process of a service; `number` tells those of one service apart."""

    def __init__(self, service: str, number: int, *, compose: Compose, image: Image, log: Path) -> None:
        self.service, self.compose, self.app = service, compose, image.app
        environment = image.environment(compose.environment(service))
        environment["BEAT_SCHEDULE"] += f"-{number}"  # each container has a /tmp of its own
        ends = signal.SIGQUIT if service == "worker" else signal.SIGTERM
        if service in PORT_OF:
            self.port = free_port()
            environment[PORT_OF[service][0]] = str(self.port)
        super().__init__(f"{service}-{number}", log=log, env=environment, end_signal=ends)

    def start(self, **env: str) -> "Container":
        with open(self.log, "ab") as output:
            self.process = child.spawn(
                ["sh", str(self.app / "deploy/run"), *self.compose.services[self.service]["command"]],
                death_signal=self.end_signal,
                env=self.env | env,
                cwd=str(self.app),
                stdout=output,
            )
        return self

    def is_well(self) -> bool:
        """What the service's own health check says; of those that hold a connection to RabbitMQ, whether
        this very process does."""
        if self.service in BROKERED:
            return self.is_running and self._is_connected(self.compose.ports["rabbitmq:5672"])
        _, *words = self.compose.services[self.service]["healthcheck"]["test"]
        _, inner = PORT_OF[self.service]
        words = [word.replace(f"{inner}/", f"{self.port}/") for word in words]
        return subprocess.run(words, cwd=self.app, env=self.env, check=False).returncode == 0

    def wait_until_well(self, seconds: float = READY_SECONDS) -> "Container":
        deadline = time.monotonic() + seconds
        while not self.is_well():
            if not self.is_running or time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} is not well:\n{self.last_words()}")
            time.sleep(0.1)
        return self

    def restart(self) -> None:
        """What `docker compose restart` does; returns when it is well."""
        self.stop(seconds=60)
        self.start().wait_until_well()

    def _is_connected(self, port: int) -> bool:
        """Docker's health check reads the tables of its container's network; ours is everybody's, so here
        it is the process's own sockets among them."""
        sockets = set()
        for pid in self.pids:
            for descriptor in Path(f"/proc/{pid}/fd").glob("*"):
                try:
                    sockets.add(os.readlink(descriptor))
                except OSError:  # closed meanwhile
                    continue
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            _slot, _local, remote, state, *rest = line.split()
            if (state, int(remote.rpartition(":")[2], 16)) == (
                "01",
                port,
            ) and f"socket:[{rest[5]}]" in sockets:
                return True
        return False


class Containers:
    """All of them; `stop` ends whatever still runs."""

    def __init__(self, compose: Compose, image: Image, logs: Path) -> None:
        self.compose, self.image, self.logs = compose, image, logs
        self.all: list[Container] = []

    def start(self, service: str) -> Container:
        number = 1 + len(self.of(service))
        log = self.logs / f"{service}-{number}.log"
        container = Container(service, number, compose=self.compose, image=self.image, log=log)
        self.all.append(container)
        return container.start()

    def of(self, service: str) -> list[Container]:
        return [each for each in self.all if each.service == service]

    def end(self, container: Container) -> None:
        container.stop()
        self.all.remove(container)

    def restart(self) -> None:
        """All of them together; returns when they have been started, not when they are well."""
        for container in self.all:
            container.process.terminate()
        for container in self.all:
            container.stop()
            container.start()

    def run(self, service: str, command: list[str] | None = None, **more) -> str:
        """A command that ends by itself in a container of this service; returns what it said."""
        done = subprocess.run(
            ["sh", "deploy/run", *(command or self.compose.services[service]["command"])],
            cwd=self.image.app,
            env=self.image.environment(self.compose.environment(service)),
            capture_output=True,
            text=True,
            check=False,
            **more,
        )
        if done.returncode:
            raise RuntimeError(f"{service} failed:\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def stop(self) -> None:
        for container in reversed(self.all):
            container.kill()
        self.all.clear()
