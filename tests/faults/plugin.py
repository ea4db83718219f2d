"""The pytest plugin of `make faults`: tells Django's settings, before they are read, where its servers are.

Nothing is started yet; the fixtures of `conftest` do that.
"""

import os

import django
import pytest

from happening.embedded import environment, locks
from happening.embedded.place import Place
from tests.faults import rabbitmq
from tests.faults.servers import FaultyPostgres, FaultyRabbit, FaultyValkey

RUNS_SIDE_BY_SIDE = 16


def _own_directory():
    for number in range(RUNS_SIDE_BY_SIDE):
        directory = environment.data_directory() / "faults" / str(number)
        directory.mkdir(parents=True, exist_ok=True)
        if locks.take(directory / "run.lock") is not None:
            return directory
    raise pytest.UsageError(f"{RUNS_SIDE_BY_SIDE} runs are under way in this checkout; wait for one.")


PLACE = Place(_own_directory()).open()
POSTGRES, VALKEY = FaultyPostgres(PLACE), FaultyValkey(PLACE)
RABBITMQ = FaultyRabbit(PLACE) if rabbitmq.is_installed() else None
if RABBITMQ is None and os.environ.get("CI") == "true":
    raise pytest.UsageError("With CI=true RabbitMQ must be there: install rabbitmq-server.")

os.environ |= {
    **POSTGRES.environment(),
    **VALKEY.environment(),
    "AMQP_URL": RABBITMQ.url if RABBITMQ else "",
    "HAPPENING_ENV": "development",
    "HAPPENING_DATA": str(PLACE.data),
    "HAPPENING_INSTANCE": "",
    "DJANGO_SETTINGS_MODULE": "happening.settings",
    "LOG_LEVEL": "WARNING",
    "EMAIL_TAKING_TIMEOUT": "5",  # a mail server that stalls is given up while a test waits
    "BOOKINGS_PER_ADDRESS": "1000000",  # the whole crowd has one
    "BOOKINGS_PER_PERSON": "1000000",
}
os.environ.pop("HAPPENING_CRASH_AT", None)
django.setup()


def pytest_report_header() -> str:
    if RABBITMQ:
        return f"servers of this run: {PLACE.data}"
    return (
        "RabbitMQ IS NOT INSTALLED: background work goes through Valkey, and what needs a broker is left out."
    )
