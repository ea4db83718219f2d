"""Tests that connect as the application does in production: with the rights of the runtime role alone.

    pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("as_the_application")]

What such a test makes, reads and changes is what the role may make, read and change. Tests that commit, and
are cleaned up after by TRUNCATE, cannot be among them.
"""

from uuid import uuid4

import pytest
from django.db import connection

from happening import database_roles
from happening.database_roles import Names


@pytest.fixture(scope="session")
def runtime_role(django_db_setup, django_db_blocker):
    """The roles of this run's database. A server has one set for all its databases, so they bear a mark."""
    mark = uuid4().hex[:8]
    names = Names(f"owner_{mark}", f"runtime_{mark}", f"reports_{mark}")
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        for statement in (*database_roles.roles_sql(names), *database_roles.grants_sql(names)):
            cursor.execute(statement)
    yield names.runtime
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        for role in (names.owner, names.runtime, names.reports):
            cursor.execute(f"DROP OWNED BY {role}")
            cursor.execute(f"DROP ROLE {role}")


@pytest.fixture
def as_the_application(db, runtime_role):
    if not connection.in_atomic_block:
        raise RuntimeError("This test commits; the role would outlive it.")
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {runtime_role}")
