"""Watching, without a server: sources here are dictionaries, and no Redis announces anything."""

import asyncio
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import OperationalError
from uuid_utils.compat import uuid7

from notifications.live import hub
from notifications.live.hub import Hub, Watcher
from notifications.live.topics import Source, Topic


class Shelf:
    """Numbers that can be watched; notes what it was asked for."""

    def __init__(self):
        self.numbers: dict = {}
        self.asked: list[list[Topic]] = []
        self.source = Source("numbers", read=self.read)
        self.is_closed = threading.Event()  # while it is set nobody is answered
        self.refuses = 0

    def topic(self, number: int) -> Topic:
        topic = Topic(self.source, uuid7())
        self.numbers[topic.subject] = number
        return topic

    def read(self, topics):
        if self.refuses:
            self.refuses -= 1
            raise OperationalError("away")
        self.asked.append(topics)
        answer = {
            topic: {"number": self.numbers[topic.subject]}
            for topic in topics
            if topic.subject in self.numbers
        }
        while self.is_closed.is_set():
            time.sleep(0.001)
        return answer


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch):
    monkeypatch.setattr(hub, "PAUSE_AFTER_FAILURE", 0.05)


def watching(scenario) -> None:
    """Run `scenario(hub)` in a loop of its own."""

    async def run():
        with ThreadPoolExecutor(1) as threads:
            own = Hub(threads)
            own.is_deaf = False
            async with asyncio.timeout(15):
                await scenario(own)
            own.end()

    asyncio.run(run())


async def numbers(watcher: Watcher, *, within: float = 5) -> list[int]:
    """The numbers in the next news."""
    news = (await watcher.news(within=within)).decode()
    return [json.loads(line[6:])["number"] for line in news.splitlines() if line.startswith("data: ")]


class TestAWatcher:
    def test_is_told_the_whole_state_first(self, shelf):
        async def scenario(hub):
            assert await numbers(hub.watch([shelf.topic(7)])) == [7]

        watching(scenario)

    def test_that_comes_later_is_told_without_another_reading(self, shelf):
        async def scenario(hub):
            topic = shelf.topic(7)
            await numbers(hub.watch([topic]))
            assert await numbers(hub.watch([topic])) == [7]
            assert len(shelf.asked) == 1

        watching(scenario)

    def test_is_told_what_was_announced(self, shelf):
        async def scenario(hub):
            topic = shelf.topic(7)
            watcher = hub.watch([topic])
            await numbers(watcher)
            shelf.numbers[topic.subject] = 8
            hub.mark("numbers", [topic.subject])
            assert await numbers(watcher) == [8]

        watching(scenario)

    def test_hears_nothing_of_others(self, shelf):
        async def scenario(hub):
            topic, other = shelf.topic(7), shelf.topic(1)
            watcher, _ = hub.watch([topic]), hub.watch([other])
            await numbers(watcher)
            shelf.numbers[other.subject] = 2
            hub.mark("numbers", [other.subject])
            assert await numbers(watcher, within=0.5) == []

        watching(scenario)

    def test_is_not_told_what_has_not_changed(self, shelf):
        async def scenario(hub):
            topic = shelf.topic(7)
            watcher = hub.watch([topic])
            await numbers(watcher)
            hub.mark("numbers", [topic.subject])
            assert await numbers(watcher, within=0.6) == []
            assert len(shelf.asked) == 2

        watching(scenario)

    def test_that_is_slow_is_told_the_newest_alone(self, shelf):
        async def scenario(hub):
            topic = shelf.topic(0)
            slow, quick = hub.watch([topic]), hub.watch([topic])
            await numbers(quick)
            for number in (1, 2, 3):
                shelf.numbers[topic.subject] = number
                hub.mark("numbers", [topic.subject])
                assert await numbers(quick) == [number]
            assert await numbers(slow) == [3]

        watching(scenario)

    def test_ends_when_there_is_nothing_left_to_watch(self, shelf):
        async def scenario(hub):
            topic = shelf.topic(7)
            watcher = hub.watch([topic])
            await numbers(watcher)
            del shelf.numbers[topic.subject]
            hub.mark("numbers", [topic.subject])
            await watcher.news(within=5)
            assert watcher.is_over

        watching(scenario)

    def test_that_comes_when_all_has_ended_is_let_go_at_once(self, shelf):
        async def scenario(hub):
            hub.end()
            assert hub.watch([shelf.topic(7)]).is_over

        watching(scenario)

    def test_leaves_nothing_behind(self, shelf):
        async def scenario(hub):
            topics = [shelf.topic(1), shelf.topic(2)]
            one, two = hub.watch(topics), hub.watch(topics[:1])
            await numbers(one)
            hub.leave(one)
            assert len(hub) == 1
            hub.leave(two)
            [reader] = hub._readers.values()
            assert len(hub) == 0
            assert not [*reader._watchers, *reader._topics, *reader._shown]

        watching(scenario)


class TestReading:
    def test_asks_for_all_that_changed_in_one_go(self, shelf):
        async def scenario(hub):
            topics = [shelf.topic(number) for number in range(100)]
            watchers = [hub.watch([topic]) for topic in topics]
            assert [await numbers(watcher) for watcher in watchers] == [[number] for number in range(100)]
            assert len(shelf.asked) == 1

        watching(scenario)

    def test_shows_the_change_that_came_while_it_was_reading(self, shelf):
        async def scenario(hub):
            topic = shelf.topic(7)
            shelf.is_closed.set()
            watcher = hub.watch([topic])
            while not shelf.asked:
                await asyncio.sleep(0.01)
            shelf.numbers[topic.subject] = 8
            hub.mark("numbers", [topic.subject])
            shelf.is_closed.clear()
            assert await numbers(watcher) == [7]
            assert await numbers(watcher) == [8]

        watching(scenario)

    def test_is_done_four_times_a_second_at_most_and_shows_the_last_change(self, shelf):
        async def scenario(hub):
            topic = shelf.topic(0)
            watcher = hub.watch([topic])
            loop = asyncio.get_running_loop()
            began, number = loop.time(), 0
            while loop.time() < began + 1:
                number += 1
                shelf.numbers[topic.subject] = number
                hub.mark("numbers", [topic.subject])
                await asyncio.sleep(0.002)
            seen = []
            while seen[-1:] != [number]:
                seen += await numbers(watcher)
            assert len(shelf.asked) <= 6

        watching(scenario)

    def test_that_fails_is_done_again(self, shelf):
        async def scenario(hub):
            shelf.refuses = 2
            assert await numbers(hub.watch([shelf.topic(7)])) == [7]

        watching(scenario)

    def test_finds_by_itself_what_nobody_announced(self, shelf, monkeypatch):
        monkeypatch.setattr(hub, "LOOK_EVERY_WHILE_DEAF", 0.1)

        async def scenario(hub):
            hub.is_deaf = True
            topic = shelf.topic(7)
            watcher = hub.watch([topic])
            await numbers(watcher)
            shelf.numbers[topic.subject] = 8
            assert await numbers(watcher) == [8]

        watching(scenario)
