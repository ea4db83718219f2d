"""A RabbitMQ node of the run's own, where rabbitmq-server is installed: no systemd, no cluster, on loopback.

Erlang's name server, epmd, is a child of the run as well; one that RabbitMQ starts would outlive it.
"""

import os
import shutil
import signal
import subprocess
import time
from functools import cached_property
from pathlib import Path

import amqp
import pika

from happening.embedded import child
from happening.embedded.place import Place
from happening.embedded.server import Server
from notifications.broker.connecting import parameters
from tests.faults.ports import HOST, free_port

PROGRAMS = Path("/usr/lib/rabbitmq/bin")  # Debian's; the ones in /usr/sbin want to be another user
USER = "happening"
NOT_FOUND = 404


def is_installed() -> bool:
    return (PROGRAMS / "rabbitmq-server").exists() and shutil.which("epmd") is not None


class Rabbit(Server):
    name = "rabbitmq"
    stop_signal = signal.SIGTERM

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.port, self.dist_port, self.epmd_port = free_port(), free_port(), free_port()
        self.epmd: subprocess.Popen | None = None

    @property
    def url(self) -> str:
        return f"amqp://{USER}:{self._password}@{HOST}:{self.port}//"

    def environment(self) -> dict[str, str]:
        return {"AMQP_URL": self.url}

    def prepare(self) -> None:
        self.place.make(self.data)
        conf = self.data / "rabbitmq.conf"
        conf.write_text(
            f"listeners.tcp.1 = {HOST}:{self.port}\n"
            f"default_user = {USER}\ndefault_pass = {self._password}\n"
            "disk_free_limit.absolute = 50MB\n"
            "log.console = true\nlog.file = false\n"
        )
        if self.place.account:
            self.place.account.owns(conf)
        if self.epmd is None:
            self.epmd = child.spawn(
                ["epmd", "-port", str(self.epmd_port), "-address", HOST],
                death_signal=signal.SIGKILL,
                account=self.place.account,
                cwd="/",
            )

    def command(self) -> list[str]:
        return ["env", *self._variables, str(PROGRAMS / "rabbitmq-server")]

    def answers(self) -> bool:
        try:
            with amqp.Connection(
                f"{HOST}:{self.port}", USER, self._password, connect_timeout=2, read_timeout=2
            ):
                return True
        except (OSError, amqp.AMQPError):
            time.sleep(0.2)  # it takes seconds; asking costs it more than it costs us
            return False

    def control(self, *words: str) -> str:
        """`rabbitmqctl`, which takes two seconds: for example `set_disk_free_limit 100000GB`, an alarm."""
        done = subprocess.run(
            ["env", *self._variables, str(PROGRAMS / "rabbitmqctl"), "--quiet", *words],
            cwd="/",
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
            **(self.place.account.popen_arguments() if self.place.account else {}),
        )
        return done.stdout

    def channel(self):
        """To do at the broker what somebody may do there by hand."""
        return pika.BlockingConnection(parameters(self.url)).channel()

    def waiting(self, queue: str) -> int:
        """How many messages are in a queue and in nobody's hand."""
        channel = self.channel()
        try:
            return channel.queue_declare(queue, passive=True).method.message_count
        finally:
            channel.connection.close()

    def empty(self, queue: str) -> None:
        """Drop what waits in a queue, where there is one."""
        channel = self.channel()
        try:
            channel.queue_purge(queue)
        except pika.exceptions.ChannelClosedByBroker as closed:
            if closed.reply_code != NOT_FOUND:
                raise
        finally:
            channel.connection.close()

    def forget(self) -> None:
        """Remove the queues and messages of an earlier run; called before it starts."""
        shutil.rmtree(self.data / "mnesia", ignore_errors=True)

    def end(self) -> None:
        """Stop it, and the name server with it."""
        self.stop()
        if self.epmd:
            self.epmd.kill()
            self.epmd.wait()
            child.forget(self.epmd)
            self.epmd = None

    @property
    def _password(self) -> str:
        return self.place.secrets["valkey"]

    @cached_property
    def _variables(self) -> list[str]:
        loopback = "-kernel inet_dist_use_interface {127,0,0,1}"
        variables = {
            "HOME": self.data,  # where Erlang keeps the cookie by which control finds the node
            "RUNNING_UNDER_SYSTEMD": "true",  # then the script becomes the server, instead of waiting for it
            "RABBITMQ_CONF_ENV_FILE": self.data / "none.conf",
            "RABBITMQ_CONFIG_FILE": self.data / "rabbitmq.conf",
            "RABBITMQ_NODENAME": "happening@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": HOST,
            "RABBITMQ_NODE_PORT": self.port,
            "RABBITMQ_DIST_PORT": self.dist_port,
            "RABBITMQ_MNESIA_BASE": self.data / "mnesia",
            "RABBITMQ_LOG_BASE": self.data / "log",
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_ENABLED_PLUGINS_FILE": self.data / "enabled_plugins",
            "RABBITMQ_PID_FILE": self.data / "pid",
            "RABBITMQ_SCHEMA_DIR": self.data / "schema",
            "RABBITMQ_GENERATED_CONFIG_DIR": self.data / "config",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": loopback,
            "RABBITMQ_CTL_ERL_ARGS": loopback,
            "ERL_EPMD_ADDRESS": HOST,
            "ERL_EPMD_PORT": self.epmd_port,
        }
        return [f"{name}={value}" for name, value in variables.items()]
