"""What works behind the pages: worker, beat and sender, and a mail server that takes everything."""

import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory


@contextmanager
def mail_sink() -> Iterator[int]:
    """A mail server in a process of its own; its port on 127.0.0.1."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    sink = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.mail_sink", str(port)], stdout=subprocess.PIPE, text=True
    )
    try:
        sink.stdout.readline()
        yield port
    finally:
        sink.kill()
        sink.wait()


@contextmanager
def background(environment: Mapping[str, str]) -> Iterator[list[int]]:
    """Worker, beat, and where there is a broker the sender; their process ids. As in the Procfile, worker and
    sender let pass who waits in front of a page."""
    celery = [sys.executable, "-m", "celery", "--app", "happening", "--quiet"]
    second = ["nice", "-n", "5"]
    with TemporaryDirectory() as directory:
        commands = [
            [*second, *celery, "worker", "--concurrency", "2", "--without-mingle", "--without-gossip"],
            [*celery, "beat", "--pidfile=", "--schedule", f"{directory}/beat"],
        ]
        if environment.get("AMQP_URL"):
            commands.append([*second, sys.executable, "manage.py", "deliver_notifications"])
        started = [
            subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for command in commands
        ]
        try:
            yield [process.pid for process in started]
        finally:
            for process in started:
                process.terminate()
            for process in started:
                process.wait()


def rabbitmq() -> list[int]:
    """The process ids of RabbitMQ, where one runs on this machine."""
    found = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = each.read_bytes()
        except (FileNotFoundError, ProcessLookupError):  # ended meanwhile
            continue
        if b"beam" in words.split(b"\0")[0] and b"rabbit" in words:
            found.append(int(each.parent.name))
    return found
