"""Two of everything that may be scaled, and of the timetable: nothing is sold, told or done twice, and one of
each may go in the middle."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from http.client import HTTPException

import pytest

from tests.faults.composed.stage import WHOLE_WITHIN

SCALED = ("web", "live", "worker", "sender", "beat")
CROWD = 60
AT_ONCE = 12


@pytest.fixture(scope="module", autouse=True)
def doubled(stage):
    """A second of each service."""
    stage.add(*SCALED)
    yield
    for service in SCALED:
        for container in stage.containers.of(service)[1:]:
            stage.remove(container)


@pytest.fixture
def crowd(stage):
    return [stage.somebody() for _ in range(CROWD)]


def book_in_the_end(visitor, event: str) -> int:
    """The answer to one form, sent again as a person would where the proxy has nobody to ask."""
    form, deadline = None, time.monotonic() + 30
    while True:
        try:
            form = form or visitor.form(event)
            if (status := visitor.send(event, form).status) not in (502, 503, 504):
                return status
        except (OSError, HTTPException):
            pass  # cut in the middle: the same form again
        assert time.monotonic() < deadline
        time.sleep(0.2)


def until(truth, seconds: float = WHOLE_WITHIN) -> None:
    deadline = time.monotonic() + seconds
    while not truth():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.1)


class TestTwoOfEach:
    def test_all_take_part(self, stage):
        """Each web answers and each live streams by itself; both workers and senders are on their queues."""

        def both_listen() -> bool:
            consumers = Counter(stage.rabbitmq.control("list_consumers", "queue_name").split())
            return (consumers["happening.notifications.deliver"], consumers["happening"]) == (2, 2)

        until(both_listen, seconds=30)
        assert all(container.is_well() for container in stage.containers.all)

    def test_beats_do_nothing_twice(self, stage):
        """An event is cancelled while two of them tick: one mail more for each person."""
        people, began = [stage.somebody() for _ in range(5)], datetime.now(UTC)
        for _, visitor in people:
            assert visitor.book(stage.doomed).status == 303
        stage.cancel(stage.doomed)
        told = [address for address, _ in people]
        until(lambda: all(len(stage.mail.sent_to(address)) >= 2 for address in told), seconds=40)
        time.sleep(6)  # both ask once more, for whatever they ask often
        assert {len(stage.mail.sent_to(address)) for address in told} == {2}
        assert stage.failed_jobs(began) == []

    def test_sell_each_seat_once_and_tell_everybody_once_while_one_of_each_goes(self, stage, crowd):
        before = stage.seats_left()
        with ThreadPoolExecutor(AT_ONCE) as threads:
            answers = [threads.submit(book_in_the_end, visitor, stage.event) for _, visitor in crowd]
            until(lambda: sum(answer.done() for answer in answers) >= CROWD // 3, seconds=30)
            for service in SCALED:
                stage.remove(stage.containers.of(service)[0])
            statuses = [answer.result() for answer in answers]
        assert Counter(statuses) == {303: CROWD}
        assert stage.seats_left() == before - CROWD
        until(lambda: all(stage.mail.sent_to(address) for address, _ in crowd), seconds=30)
        until(lambda: stage.counter() == stage.seats_left())
        until(lambda: stage.onlooker.left == stage.seats_left())
        assert {len(stage.mail.sent_to(address)) for address, _ in crowd} == {1}
