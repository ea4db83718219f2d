"""Fills `os.environ` with the URLs of what is not given, before Django's settings are read.

A service is given by its URL in the environment or in `.env`. In production nothing is filled in.
"""

import atexit
import os
from collections.abc import Sequence
from pathlib import Path

import environ

from . import broker, locks
from .errors import ServersUnavailable
from .lease import CHECKOUT, START_SECONDS, Lease, join
from .place import Place

VARIABLES = {"DATABASE_URL": "postgres", "REDIS_URL": "valkey", "AMQP_URL": "broker"}
NEED_NO_SERVER = {
    *("help", "--help", "-h", "version", "--version"),
    *("makemessages", "compilemessages", "collectstatic", "findstatic", "startapp", "startproject"),
}
# What settings read where a command needs no server. Nothing answers there.
NOWHERE = {"DATABASE_URL": "postgres:///happening?host=/nowhere", "REDIS_URL": "unix:///nowhere"}


def data_directory() -> Path:
    return Path(os.environ.get("HAPPENING_DATA") or CHECKOUT / ".data")


def read_file() -> None:
    """Read `.env`; what the environment says already stays."""
    if (CHECKOUT / ".env").exists():
        environ.Env.read_env(CHECKOUT / ".env")


def missing() -> list[str]:
    """The services that neither the environment nor `.env` gives. An empty AMQP_URL means: no RabbitMQ."""
    read_file()
    if os.environ.get("HAPPENING_ENV", "development") != "development":
        return []
    return [
        service
        for variable, service in VARIABLES.items()
        if not os.environ.get(variable) and not (variable == "AMQP_URL" and variable in os.environ)
    ]


def provide(place: Place | None = None) -> Lease | None:
    """Fill in what is missing, from the servers of `place`; None where nothing is.

    The lease is the caller's to close; otherwise it ends with this process.
    """
    needs = missing()
    if not needs:
        return None
    place = place or Place(data_directory())
    if needs == ["broker"]:  # nothing to start
        _fill_in(_broker(place.open()))
        return None
    lease = join(place, needs)
    _fill_in(lease.environment)
    return lease


def rejoin(place: Place, ended: Lease) -> Lease:
    """The same servers again after their keeper has gone. They have the same URLs."""
    ended.close()
    return join(place, ended.needs)


def provide_for(arguments: Sequence[str]) -> None:
    """What `manage.py` does first: servers for the length of a command that needs any."""
    command = arguments[1] if len(arguments) > 1 else "help"
    if command in NEED_NO_SERVER or "--help" in arguments or "-h" in arguments:
        if missing():
            _point_nowhere()
        return
    try:
        lease = provide()
    except ServersUnavailable as error:
        if command != "doctor":
            raise SystemExit(f"{error}") from None
        os.environ["HAPPENING_SERVERS_UNAVAILABLE"] = str(error)
        _point_nowhere()
    else:
        if lease:
            atexit.register(lease.close)


def _broker(place: Place) -> dict[str, str]:
    with locks.held(place.starting, wait=START_SECONDS):
        return broker.environment(place)


def _fill_in(values: dict[str, str]) -> None:
    for variable, value in values.items():
        os.environ[variable] = os.environ.get(variable) or value


def _point_nowhere() -> None:
    _fill_in(NOWHERE)
