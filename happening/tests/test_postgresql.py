"""The look at a connection before it is used."""

import pytest
from django.db import ProgrammingError, connection, transaction
from django.test.utils import CaptureQueriesContext


@pytest.fixture
def own_connection(transactional_db):
    connection.ensure_connection()
    yield connection
    connection.close()


class TestIsUsable:
    def test_asks_a_silent_server_nothing(self, own_connection):
        with CaptureQueriesContext(connection) as asked:
            assert own_connection.is_usable()
        assert not asked.captured_queries

    def test_knows_that_the_server_has_hung_up(self, own_connection):
        with connection.copy().cursor() as another:
            another.execute(
                "SELECT pg_terminate_backend(%s, 5000)", [own_connection.connection.info.backend_pid]
            )
        assert not own_connection.is_usable()

    def test_knows_that_it_was_closed_here(self, own_connection):
        own_connection.connection.close()
        assert not own_connection.is_usable()

    def test_knows_that_a_transaction_has_failed(self, own_connection):
        with transaction.atomic():
            with pytest.raises(ProgrammingError):
                connection.cursor().execute("SELECT nothing")
            assert not own_connection.is_usable()
            transaction.set_rollback(True)

    def test_asks_a_server_that_has_said_something(self, own_connection):
        """A notice is no end."""
        with connection.cursor() as cursor, connection.copy().cursor() as another:
            cursor.execute("LISTEN here")
            another.execute("NOTIFY here")
            cursor.execute("UNLISTEN *")
        assert own_connection.is_usable()
