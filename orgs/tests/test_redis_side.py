"""A database of Redis behind a breaker: left alone after a failure, and told of it when it is back."""

import socket
import threading
from time import monotonic

import pytest

from orgs import breaker
from orgs.breaker import Away
from orgs.redis_side import RedisSide


@pytest.fixture
def missed():
    return []


@pytest.fixture
def side(missed):
    return RedisSide("cache", makes_good=missed.append)


def fail(side):
    with pytest.raises(Away):
        side.call(lambda client: client.execute_command("NO SUCH COMMAND"))


class TestRedisSide:
    def test_answers(self, side):
        assert side.call(lambda client: client.ping()) is True
        assert side.breaker.failures == 0

    def test_is_not_asked_for_a_while_after_a_failure(self, side):
        fail(side)
        asked = []
        with pytest.raises(Away):
            side.call(asked.append)
        assert (asked, side.breaker.failures) == ([], 1)

    def test_is_told_of_what_it_missed_before_anybody_believes_it(self, side, missed, monkeypatch):
        monkeypatch.setattr(breaker, "REST", 0)
        fail(side)
        assert side.call(lambda client: len(missed)) == 1

    def test_looks_by_itself_whether_it_is_back_where_it_is_to(self, missed, monkeypatch):
        monkeypatch.setattr(breaker, "REST", 0.05)
        side = RedisSide("cache", makes_good=missed.append, looks_by_itself=True)
        fail(side)
        for thread in threading.enumerate():
            if thread.name == "redis for cache":
                thread.join(5)
        assert not side.breaker._is_away
        assert len(missed) == 1

    def test_has_every_thread_connect_anew_after_a_failure(self, side, monkeypatch):
        """Or each would meet the end of its own connection, one after the other."""
        monkeypatch.setattr(breaker, "REST", 0)
        before = side._own.ask("CLIENT", "ID")
        fail(side)
        assert side._own.ask("CLIENT", "ID") != before

    def test_greets_on_each_new_connection(self):
        greeted = []
        side = RedisSide("cache", greets=greeted.append)
        for _ in range(3):
            side.call(lambda client: client.ping())
        assert len(greeted) == 1

    def test_waits_no_longer_than_it_may_for_a_server_that_says_nothing(self, side, settings):
        settings.REDIS_TIMEOUT = 0.2
        with socket.create_server(("127.0.0.1", 0)) as silent:
            settings.REDIS_URLS = {"cache": f"redis://127.0.0.1:{silent.getsockname()[1]}/0"}
            began = monotonic()
            with pytest.raises(Away):
                side.call(lambda client: client.ping())
            assert monotonic() - began < 2
