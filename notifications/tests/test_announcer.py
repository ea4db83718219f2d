"""The senders' side of live updates, with a real Redis, and with none."""

import json
import os
import time

import pytest
import redis
from django.conf import settings
from django.db import transaction
from uuid_utils.compat import uuid7

from notifications import live
from notifications.live import announcer
from notifications.live.announcer import Announcer

NOBODY = "redis://127.0.0.1:1/0"


class Listener:
    """What is published on a channel of its own."""

    def __init__(self):
        self.channel = f"test:{uuid7()}"
        self._client = redis.Redis.from_url(settings.LIVE_REDIS_URL)
        self._subscription = self._client.pubsub(ignore_subscribe_messages=True)
        self._subscription.subscribe(self.channel)
        self._subscription.get_message(timeout=5)
        self.messages: list[dict] = []

    def ids(self, kind: str = "events") -> list[str]:
        return [each for message in self.messages for each in message.get(kind, ())]

    def hears(self, *ids, kind: str = "events") -> bool:
        """Wait until all of these were told."""
        until = time.monotonic() + 10
        while not {str(each) for each in ids} <= set(self.ids(kind)):
            if time.monotonic() > until:
                return False
            if message := self._subscription.get_message(timeout=0.2):
                self.messages.append(json.loads(message["data"]))
        return True

    def close(self):
        self._subscription.close()
        self._client.close()


@pytest.fixture
def listener():
    listener = Listener()
    yield listener
    listener.close()


@pytest.fixture
def told(listener) -> Announcer:
    return Announcer(settings.LIVE_REDIS_URL, listener.channel)


@pytest.fixture
def untold() -> Announcer:
    return Announcer(NOBODY, "nowhere")


@pytest.mark.django_db(transaction=True)
class TestTheDoor:
    @pytest.fixture(autouse=True)
    def _is_listened_to(self, told, monkeypatch):
        monkeypatch.setattr(live, "ANNOUNCER", told)

    def test_tells_after_the_commit(self, listener, told):
        event, person = uuid7(), uuid7()
        with transaction.atomic():
            live.show_event(event)
            live.nudge_people([person])
            assert not told._changed
        assert listener.hears(event)
        assert listener.hears(person, kind="people")

    def test_tells_nothing_of_what_was_rolled_back(self, listener):
        kept = uuid7()
        with transaction.atomic():
            live.show_event(uuid7())
            transaction.set_rollback(True)
        live.show_event(kept)
        assert listener.hears(kept)
        assert listener.ids() == [str(kept)]

    def test_tells_many_people_in_messages_of_a_bearable_size(self, listener):
        people = [uuid7() for _ in range(2_500)]
        live.nudge_people(people)
        assert listener.hears(*people, kind="people")
        assert listener.ids("people") == [str(person) for person in people]
        assert max(len(message["people"]) for message in listener.messages) <= announcer.MOST_IN_A_MESSAGE


class TestAnnouncer:
    def test_tells_of_a_busy_event_four_times_a_second_and_of_its_last_change(self, told, listener):
        event, last = uuid7(), uuid7()
        began = time.monotonic()
        while time.monotonic() < began + 1:
            told.announce("events", [event])
            time.sleep(0.001)
        told.announce("events", [last])
        assert listener.hears(event, last)
        assert 3 <= len(listener.messages) <= 6

    def test_never_makes_its_caller_wait_for_redis(self, untold):
        began = time.perf_counter()
        for _ in range(1_000):
            untold.announce("events", [uuid7()])
        assert time.perf_counter() - began < 0.5

    def test_tells_when_redis_is_back_what_changed_meanwhile(self, told, listener):
        event, url = uuid7(), told._url
        told._url = NOBODY
        told.announce("events", [event])
        while told._client is None:
            time.sleep(0.01)
        told._client = redis.Redis.from_url(url, retry=None)
        assert listener.hears(event)

    def test_keeps_a_bounded_number_of_changes_while_redis_is_away(self, untold, monkeypatch):
        monkeypatch.setattr(announcer, "MOST_KEPT", 10)
        for _ in range(1_000):
            untold.announce("events", [uuid7()])
        assert len(untold._changed) <= 11

    def test_works_in_a_forked_process(self, told, listener):
        before, after = uuid7(), uuid7()
        told.announce("events", [before])
        assert listener.hears(before)
        child = os.fork()
        if not child:
            told.announce("events", [after])
            time.sleep(1)
            os._exit(0)
        assert listener.hears(after)
        os.waitpid(child, 0)

    def test_tells_at_the_end_of_a_process_what_is_left(self, told, listener):
        event = uuid7()
        told._changed["events", str(event)] = None
        told.finish()
        assert listener.hears(event)
