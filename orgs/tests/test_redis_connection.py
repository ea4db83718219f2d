"""A thread's own connection to Redis."""

import os
import socket
import struct
import threading
from time import monotonic

import pytest
import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as ConnectionLost
from redis.exceptions import ResponseError
from redis.retry import Retry

from orgs.redis_connection import OwnConnection


@pytest.fixture
def client():
    retry = Retry(NoBackoff(), 1, supported_errors=(ConnectionLost,))
    with redis.Redis.from_url(settings.LIVE_REDIS_URL, socket_timeout=3, retry=retry) as client:
        yield client


@pytest.fixture
def own(client):
    return OwnConnection(client.connection_pool)


def identity(own) -> int:
    return own.ask("CLIENT", "ID")


class TestOwnConnection:
    def test_is_kept_from_one_question_to_the_next(self, own):
        assert identity(own) == identity(own)

    def test_is_of_one_thread(self, own):
        theirs = []
        thread = threading.Thread(target=lambda: theirs.append(identity(own)))
        thread.start()
        thread.join()
        assert theirs != [identity(own)]

    def test_ends_with_its_thread(self, own, client):
        theirs = []
        thread = threading.Thread(target=lambda: theirs.append(identity(own)))
        thread.start()
        thread.join()
        del thread
        assert str(theirs[0]) not in {each["id"] for each in client.client_list()}

    def test_is_made_anew_when_redis_has_ended_it(self, own, client):
        before = identity(own)
        client.client_kill_filter(_id=before)
        assert identity(own) != before

    def test_stays_when_redis_refuses_a_command(self, own):
        before = identity(own)
        with pytest.raises(ResponseError):
            own.ask("INCRBY", "nothing", "no number")
        assert identity(own) == before

    def test_never_takes_an_answer_that_came_too_late(self, client):
        hasty = redis.Redis.from_url(settings.LIVE_REDIS_URL, socket_timeout=0.1, retry=client.get_retry())
        own = OwnConnection(hasty.connection_pool)
        with pytest.raises(redis.exceptions.TimeoutError):
            own.ask("BLPOP", "nothing that anybody pushes to", 0.3)
        assert own.ask("ECHO", "the right answer") == b"the right answer"

    def test_waits_once_more_where_the_first_wait_is_over_too_soon(self, own):
        """As it is for a machine that was held up meanwhile."""
        before = identity(own)
        short = struct.pack("ll", 1, 0)
        own._connection._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, short)
        assert own.ask("BLPOP", "nothing that anybody pushes to", 1.2, once=True) is None
        assert identity(own) == before

    def test_waits_no_longer_than_it_may(self, client):
        hasty = redis.Redis.from_url(settings.LIVE_REDIS_URL, socket_timeout=0.4, retry=client.get_retry())
        own = OwnConnection(hasty.connection_pool)
        began = monotonic()
        with pytest.raises(redis.exceptions.TimeoutError):
            own.ask("BLPOP", "nothing that anybody pushes to", 5)
        assert 0.4 <= monotonic() - began < 3

    def test_sends_nothing_twice_that_is_to_be_done_once(self, own, client):
        """Ended while the answer is awaited: Redis may have done it."""
        ending = threading.Timer(0.3, client.client_kill_filter, kwargs={"_id": identity(own)})
        ending.start()
        with pytest.raises(ConnectionLost):
            own.ask("BLPOP", "nothing that anybody pushes to", 2, once=True)
        ending.join()
        assert own.ask("ECHO", "on a new one", once=True) == b"on a new one"

    def test_sends_again_what_could_not_be_sent(self, own):
        before = identity(own)
        own._connection._sock.shutdown(socket.SHUT_WR)
        assert own.ask("CLIENT", "ID", once=True) != before

    def test_is_made_anew_where_those_of_its_time_are_not_trusted(self, client):
        times = [1]
        own = OwnConnection(client.connection_pool, era=lambda: times[-1])
        before = identity(own)
        assert identity(own) == before
        times.append(2)
        assert identity(own) != before

    def test_is_not_shared_with_a_child(self, own):
        before = identity(own)
        reading, writing = os.pipe()
        if not (child := os.fork()):
            os.write(writing, str(identity(own)).encode())
            os._exit(0)
        os.waitpid(child, 0)
        assert os.read(reading, 20).decode() != str(before)
        assert identity(own) == before
        os.close(reading)
        os.close(writing)
