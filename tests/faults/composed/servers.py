"""The servers of the compose file, with its configurations: PostgreSQL, PgBouncer, Redis, RabbitMQ, nginx."""

import os
import re
import shutil
import signal
import socket
import subprocess
from functools import cached_property
from pathlib import Path

import psycopg
import redis

from happening.embedded import binaries
from happening.embedded.place import Place
from tests.faults.composed.files import ROOT, Compose
from tests.faults.ports import HOST
from tests.faults.servers import Faulty, FaultyPostgres, FaultyRabbit

SUPERUSER = "happening"  # of the cluster that is made here; the image calls it postgres


class Composed:
    """A server that stands for a service of the compose file."""

    inner_port: str

    def __init__(self, place: Place, compose: Compose) -> None:
        super().__init__(place)
        self.compose = compose
        self.port = compose.ports[self.inner_port]

    def accepts(self) -> bool:
        try:
            socket.create_connection((HOST, self.port), timeout=2).close()
        except OSError:
            return False
        return True

    def write(self, name: str, text: str) -> Path:
        self.place.make(self.data)
        path = self.data / name
        path.write_text(text)
        path.chmod(0o644)
        return path


class ComposedPostgres(Composed, FaultyPostgres):
    inner_port = "postgres:5432"

    def command(self) -> list[str]:
        _, *options = self.compose.services["postgres"]["command"]
        return [*super().command(), "-c", f"listen_addresses={HOST}", "-c", f"port={self.port}", *options]

    def answers(self) -> bool:
        try:
            self._connect("postgres").close()
        except psycopg.OperationalError:
            return False
        return True

    def forget(self) -> None:
        shutil.rmtree(self.data, ignore_errors=True)

    def make_roles(self) -> None:
        """What the image runs when it has made the data directory."""
        environment = {
            "PATH": f"{self.programs}:{os.environ['PATH']}",
            "PGHOST": HOST,
            "PGPORT": str(self.port),
            "PGPASSWORD": self.place.secrets["postgres"],
            "POSTGRES_USER": SUPERUSER,
            "SECRETS": str(self.compose.secrets),
        }
        subprocess.run(["sh", ROOT / "deploy/postgres/roles.sh"], env=environment, check=True)

    def connect(self) -> psycopg.Connection:
        return self._connect("happening")

    def _connect(self, database: str) -> psycopg.Connection:
        return psycopg.connect(
            host=HOST,
            port=self.port,
            user=SUPERUSER,
            password=self.place.secrets["postgres"],
            dbname=database,
            connect_timeout=5,
            autocommit=True,
        )


class PgBouncer(Composed, Faulty):
    name = "pgbouncer"
    inner_port = "pgbouncer:6432"

    @staticmethod
    def is_installed() -> bool:
        return shutil.which("pgbouncer") is not None

    @property
    def stop_signal(self) -> signal.Signals:
        return signal.Signals[self.compose.services["pgbouncer"]["stop_signal"]]

    def prepare(self) -> None:
        ini = self.compose.configuration("pgbouncer/pgbouncer.ini")
        ini = ini.replace(
            "host=postgres port=5432", f"host={HOST} port={self.compose.ports['postgres:5432']}"
        )
        ini = re.sub(r"(?m)^listen_addr = .*", f"listen_addr = {HOST}", ini)
        ini = re.sub(r"(?m)^listen_port = .*", f"listen_port = {self.port}", ini)
        if self._version() < (1, 21):
            ini = re.sub(r"(?m)^max_prepared_statements = .*\n", "", ini)  # not known to it yet
        self.write("pgbouncer.ini", ini)

    def command(self) -> list[str]:
        return [shutil.which("pgbouncer"), str(self.data / "pgbouncer.ini")]

    def answers(self) -> bool:
        return self.accepts()

    def _version(self) -> tuple[int, ...]:
        said = subprocess.run(["pgbouncer", "--version"], capture_output=True, text=True, check=True).stdout
        return tuple(map(int, re.search(r"(\d+)\.(\d+)", said).groups()))


class ComposedRedis(Composed, Faulty):
    name = "redis"
    inner_port = "redis:6379"
    stop_signal = signal.SIGTERM

    @cached_property
    def program(self) -> Path:
        return binaries.valkey(account=self.place.account)

    def prepare(self) -> None:
        conf = self.compose.configuration("redis/redis.conf")
        conf = re.sub(r"(?m)^bind .*", f"bind {HOST}", conf)
        self.write("redis.conf", re.sub(r"(?m)^port .*", f"port {self.port}", conf))

    def command(self) -> list[str]:
        return [str(self.program), str(self.data / "redis.conf")]

    def answers(self) -> bool:
        try:
            with self.client(0) as client:
                return client.ping()
        except redis.RedisError:
            return False

    def client(self, database: int) -> redis.Redis:
        url = f"{self.compose.secret('redis_url')}/{database}"
        return redis.Redis.from_url(url, socket_timeout=5, retry=None, decode_responses=True)


class ComposedRabbit(Composed, FaultyRabbit):
    inner_port = "rabbitmq:5672"

    def __init__(self, place: Place, compose: Compose) -> None:
        super().__init__(place, compose)
        self.port = compose.ports[self.inner_port]

    @property
    def _password(self) -> str:
        return self.compose.secret("rabbitmq_password")


class Proxy(Composed, Faulty):
    """nginx, with a line for each process where a container's name would lead to several."""

    name = "proxy"
    inner_port = "proxy:8443"
    stop_signal = signal.SIGQUIT

    def __init__(self, place: Place, compose: Compose) -> None:
        super().__init__(place, compose)
        self.behind = {"web:8000": [], "live:8001": [], "keycloak:8080": [compose.ports["keycloak:8080"]]}

    @staticmethod
    def is_installed() -> bool:
        return shutil.which("nginx") is not None

    def prepare(self) -> None:
        template = (ROOT / "deploy/nginx/happening.conf.template").read_text()
        for name, value in self.compose.environment("proxy").items():
            template = template.replace(f"${{{name}}}", value)  # what the image does to it
        for place, ports in self.behind.items():
            servers = " ".join(f"server {HOST}:{port};" for port in ports)
            template, found = re.subn(rf"server {place} resolve;", servers, template)
            assert found == 1, place
        for port in (8443, 8080, 8081):
            here = f"listen {HOST}:{self.compose.ports[f'proxy:{port}']}"
            template = re.sub(rf"listen {port}\b", here, template)
        template = template.replace("access_log /dev/stdout ", f"access_log {self.said} ")
        if self._version() < (1, 25, 1):
            template = re.sub(r"(?m)^ *http2 on;\n", "", template)  # not known to it yet
        self.write("default.conf", template.replace("/run/secrets", str(self.compose.secrets)))
        passing = "".join(
            f"{part}_temp_path {self.data}/{part}; "
            for part in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        self.write(
            "nginx.conf",
            f"pid {self.data}/nginx.pid; error_log stderr warn; events {{}}\n"
            f"http {{ access_log off; {passing} include {self.data}/default.conf; }}\n",
        )

    @property
    def said(self) -> Path:
        """Its lines, which a container has on its standard output."""
        return self.data / "access.log"

    def command(self) -> list[str]:
        conf = self.data / "nginx.conf"
        _, *options = self.compose.services["proxy"]["command"]
        return [shutil.which("nginx"), "-e", "stderr", "-p", str(self.data), "-c", str(conf), *options]

    def answers(self) -> bool:
        return self.accepts()

    def read_again(self) -> None:
        """The processes behind it have changed: what the image learns from DNS."""
        self.prepare()
        self.process.send_signal(signal.SIGHUP)

    def _version(self) -> tuple[int, ...]:
        said = subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=True).stderr
        return tuple(map(int, re.search(r"(\d+)\.(\d+)\.(\d+)", said).groups()))
