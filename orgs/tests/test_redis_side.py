"""The breaker: a Redis that fails is left alone for a while, and told of it when it is back."""

import socket
from time import monotonic

import pytest

from orgs import redis_side
from orgs.redis_side import RedisAway, RedisSide


@pytest.fixture
def returned():
    return []


@pytest.fixture
def side(returned):
    return RedisSide("cache", on_return=returned.append)


def fail(side):
    with pytest.raises(RedisAway):
        side.call(lambda client: client.execute_command("NO SUCH COMMAND"))


class TestRedisSide:
    def test_answers(self, side):
        assert side.call(lambda client: client.ping()) is True
        assert (side.failures, side.is_away) == (0, False)

    def test_is_not_asked_for_a_while_after_a_failure(self, side):
        fail(side)
        asked = []
        with pytest.raises(RedisAway):
            side.call(asked.append)
        assert (asked, side.failures, side.is_away) == ([], 1, True)

    def test_is_told_of_what_it_missed_before_anybody_is_let_through(self, side, returned, monkeypatch):
        monkeypatch.setattr(redis_side, "PAUSE", 0)
        fail(side)
        assert side.call(lambda client: len(returned)) == 1
        assert not side.is_away

    def test_stays_away_if_it_cannot_be_told(self, side, monkeypatch):
        monkeypatch.setattr(redis_side, "PAUSE", 0)
        fail(side)
        side._on_return = lambda client: client.execute_command("NO SUCH COMMAND")
        with pytest.raises(RedisAway):
            side.call(lambda client: client.ping())
        assert side.is_away

    def test_waits_no_longer_than_it_may_for_a_server_that_says_nothing(self, side, settings):
        settings.REDIS_TIMEOUT = 0.2
        with socket.create_server(("127.0.0.1", 0)) as silent:
            settings.REDIS_URLS = {"cache": f"redis://127.0.0.1:{silent.getsockname()[1]}/0"}
            began = monotonic()
            with pytest.raises(RedisAway):
                side.call(lambda client: client.ping())
            assert monotonic() - began < 2
