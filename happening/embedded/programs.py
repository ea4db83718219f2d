"""The programs of `make run`. `Procfile` has their like for production."""

import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Program:
    name: str
    command: list[str]
    end_signal: signal.Signals = signal.SIGTERM  # what it gets when `make run` was killed


def setup() -> Program:
    """Runs to its end before the others start."""
    return _python("setup", "-m happening.embedded.prepare")


def all_of(*, port: int, data: Path) -> list[Program]:
    """Web, worker and beat, and where there is a RabbitMQ the sender; else the worker delivers.

    A killed run ends the worker at once: an unfinished task is handed out again.
    """
    return [
        _python("web", f"-m happening.embedded.web {port}"),
        _python(
            "worker",
            "-W ignore::UserWarning:celery.platforms "  # that it runs as root, where it does
            "-m celery --app happening --quiet worker --concurrency 2 --without-mingle --without-gossip "
            f"--hostname happening-{port}@%h",  # a queue of this name is its own, also on a shared broker
            end_signal=signal.SIGQUIT,
        ),
        _python(
            "beat",
            "-m celery --app happening --quiet beat --pidfile= --schedule",
            str(data / "beat-schedule"),
        ),
        *([_python("sender", "manage.py deliver_notifications")] if os.environ.get("AMQP_URL") else []),
    ]


def identity_provider() -> Program:
    """What single sign-on leads to in a development run."""
    return _python("identity", "-m happening.demo.identity.serve")


def _python(name: str, words: str, *more: str, end_signal: signal.Signals = signal.SIGTERM) -> Program:
    return Program(name, [sys.executable, *words.split(), *more], end_signal)
