"""Each thread that books keeps a connection while it waits for its turn, so there must be one for each."""

from contextlib import contextmanager

import pytest
from django.db import connection

from tests.faults.checker import complaints
from tests.faults.crowd import Crowd
from tests.faults.programs import THREADS

SPARE = 5  # three that PostgreSQL keeps for superusers, the test's own, and one more


@pytest.fixture
def with_connections(postgres):
    """A PostgreSQL with so many connections and no more."""

    @contextmanager
    def allowing(count):
        before, postgres.max_connections = postgres.max_connections, count
        postgres.restart()
        try:
            yield
        finally:
            postgres.max_connections = before
            postgres.restart()

    return allowing


class TestConnections:
    def test_one_for_each_thread_is_enough_when_all_wait_for_one_event(
        self, with_connections, site, valkey, make_event, visitors, log
    ):
        people = 3 * THREADS
        with with_connections(2 * THREADS + SPARE):
            servers = [site.web(name).address for name in ("one", "two")]
            event = make_event(total_slots=people, waitlist=False)
            crowd = Crowd(visitors(people), event.pk, servers, parties=[1] * people, at_once=people)
            assert {line.status for line in crowd.join()} == {303}
            assert {line.status for line in log.lines} == {303}  # the first time, each of them
            assert _connections() <= 2 * THREADS + 1
            assert complaints(event.pk, log.lines) == []
            site.stop()

    def test_fewer_are_told_as_503_and_nobody_loses_a_seat(
        self, with_connections, site, valkey, make_event, visitors, log
    ):
        """The control: threads that find no connection answer "try again", and trying again works."""
        people = 3 * THREADS
        with with_connections(THREADS // 2 + SPARE):
            servers = [site.web(name).address for name in ("one", "two")]
            event = make_event(total_slots=people, waitlist=False)
            crowd = Crowd(visitors(people), event.pk, servers, parties=[1] * people, at_once=people)
            crowd.join()
            assert complaints(event.pk, log.lines) == []
            assert {line.status for line in log.lines} - {303} <= {503}
            site.stop()


def _connections() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'")
        return cursor.fetchone()[0]
