"""The pytest plugin that puts real servers under the tests: `-p tests.servers`.

It is imported before pytest-django reads the settings. Services given by the environment are used as
they are. Others are started for this run on data of their own below `.data/test/`, kept between runs
because making a cluster takes longer than starting one. Runs side by side get a directory each.
Workers of pytest-xdist inherit the environment of the run that started them, and its servers.
"""

import os
from pathlib import Path

import pytest

from happening.embedded import environment, locks
from happening.embedded.errors import ServersUnavailable
from happening.embedded.lease import Lease
from happening.embedded.place import Place

RUNS_SIDE_BY_SIDE = 16


def _own_directory() -> Path:
    """The first directory that no other run uses; ours until this process ends."""
    for number in range(RUNS_SIDE_BY_SIDE):
        directory = environment.data_directory() / "test" / str(number)
        directory.mkdir(parents=True, exist_ok=True)
        if locks.take(directory / "run.lock") is not None:
            return directory
    raise pytest.UsageError(f"{RUNS_SIDE_BY_SIDE} test runs are under way in this checkout; wait for one.")


def _provide() -> Lease | None:
    if worker := os.environ.get("PYTEST_XDIST_WORKER"):
        instance = os.environ.get("HAPPENING_INSTANCE", "")
        os.environ["HAPPENING_INSTANCE"] = instance + worker  # names of its own on the servers they share
        return None
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "happening.settings")
    os.environ.setdefault("REDIS_TIMEOUT", "3")  # a busy machine is no fault of Redis
    os.environ.setdefault("PUBLIC_PAGES_KEPT", "0")  # tests look at pages right after a change
    for limit in ("BOOKINGS_PER_PERSON", "BOOKINGS_PER_ADDRESS", "SEARCHES_PER_ADDRESS"):
        os.environ.setdefault(limit, "1000000")  # every test comes from the same address
    os.environ.setdefault("NUDGES", "no")  # background work runs when a test says so
    lease = None
    if environment.missing():
        directory = _own_directory()
        try:
            lease = environment.provide(Place(directory, durable=False))
        except ServersUnavailable as error:
            raise pytest.UsageError(str(error)) from None
        os.environ["HAPPENING_DATA"] = str(directory)
    if os.environ.get("CI") == "true" and not os.environ.get("AMQP_URL"):
        raise pytest.UsageError("With CI=true RabbitMQ must be there: start one here, or set AMQP_URL.")
    return lease


_lease = _provide()


@pytest.fixture(autouse=True)
def redis_is_asked_again():
    """Whatever a test did to Redis, the next one does not meet an open breaker."""
    from bookings.seats_side import SEATS

    SEATS.breaker._is_away = False
    SEATS.breaker._looks_by_itself = False  # a test says when Redis is asked again


@pytest.fixture(autouse=True)
def what_is_kept_is_proven():
    """Every page that a test looks at is made anew as well, and has to come out the same."""
    from events import keeping

    keeping.PROVEN = True


@pytest.fixture(autouse=True)
def the_relay_has_seen_nothing():
    """What a test's relay found to be sent says nothing about the rows of the next test."""
    from notifications import relay
    from notifications.lookout import Lookout

    relay.LOOKOUT = Lookout()


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    global _lease
    if _lease:
        _lease.close()
        _lease = None
