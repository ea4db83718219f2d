"""One stage for the whole run: it takes half a minute to set up."""

import shutil
import sys
from collections.abc import Callable, Iterator

import pytest

from tests.faults import plugin, rabbitmq
from tests.faults.composed.servers import PgBouncer, Proxy
from tests.faults.composed.stage import Stage

FIGURES: list[str] = []
MISSING = [
    program
    for program, is_there in {
        "rabbitmq-server": rabbitmq.is_installed(),
        "pgbouncer": PgBouncer.is_installed(),
        "nginx": Proxy.is_installed(),
        "Linux": sys.platform == "linux",
    }.items()
    if not is_there
]


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    if MISSING:
        pytest.skip(f"not installed: {', '.join(MISSING)}")
    data = plugin.PLACE.data / "composed"
    shutil.rmtree(data, ignore_errors=True)
    stage = Stage(data)
    try:
        stage.begin()
        yield stage
    finally:
        stage.end()


@pytest.fixture
def tell() -> Callable[[str], None]:
    """Keep a figure for the end of the run."""
    return FIGURES.append


def pytest_terminal_summary(terminalreporter):
    if FIGURES:
        terminalreporter.section("whole again after")
        for line in FIGURES:
            terminalreporter.write_line(line)
