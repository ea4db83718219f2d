from uuid import UUID

import pytest
from django.db import connection

from tests.schema.rows import Rows
from tests.schema.scratch import Scratch


@pytest.fixture
def rows(db):
    """Raw SQL on the tests' own database, undone afterwards."""
    with connection.cursor() as cursor:
        yield Rows(cursor)


@pytest.fixture
def nobody():
    """The id of no row."""
    return UUID(int=0)


@pytest.fixture(scope="session")
def beside(django_db_setup, django_db_blocker):
    """Make databases beside the tests' one: `beside()`, or `beside(template=...)`.

    All are dropped at the end: each DROP DATABASE waits for a checkpoint, which is soon done the second time.
    """
    made = []

    def make(**options) -> Scratch:
        made.append(Scratch(django_db_blocker, **options))
        return made[-1]

    yield make
    for scratch in made:
        scratch.drop()


@pytest.fixture(scope="session")
def migrated(beside):
    """A database made by the migrations; to be copied, not written to."""
    scratch = beside()
    scratch.migrate()
    return scratch


@pytest.fixture
def copy(beside, migrated):
    """A copy of the migrated database for one test."""
    return beside(template=migrated)


@pytest.fixture
def connect():
    """Open connections that are closed with the test: `connect(scratch)`."""
    opened = []

    def open_one(scratch: Scratch):
        opened.append(scratch.connect())
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()
