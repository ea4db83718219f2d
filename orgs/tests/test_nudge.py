"""A nudge never waits for a broker and never fails with it."""

import logging
import socket
import time

import pytest
from celery import Celery
from kombu import Queue

from orgs.nudge import Herald

TASK = "a task"


def until(condition, *, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def app():
    """A Celery of its own, with a broker in memory."""
    app = Celery("nudged", broker="memory://", set_as_current=False)
    app.conf.task_default_queue = "nudged"
    yield app
    app.close()


def taken(app) -> list[str]:
    names = []
    with app.connection_for_read() as connection:
        queue = Queue("nudged")(connection.default_channel)
        queue.declare()
        while message := queue.get(no_ack=True):
            names.append(message.headers["task"])
    return names


class TestANudge:
    def test_reaches_a_broker(self, app):
        herald, found = Herald(app), []
        herald.ask(TASK)
        until(lambda: found.extend(taken(app)) or found)
        assert found == [TASK]

    def test_does_not_wait_for_a_broker_that_never_answers_nor_pile_up(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            app = Celery(broker=f"amqp://127.0.0.1:{silent.getsockname()[1]}//", set_as_current=False)
            herald = Herald(app)
            herald.ask(TASK)
            until(lambda: not herald._wanted)  # its thread is now in the hands of that broker
            for _ in range(1_000):
                herald.ask(TASK)
            assert herald._wanted == {TASK}

    def test_does_not_fail_where_no_broker_is(self, caplog):
        app = Celery(broker="amqp://127.0.0.1:1//", set_as_current=False)
        herald = Herald(app)
        with caplog.at_level(logging.WARNING, logger="orgs.nudge"):
            herald.ask(TASK)
            until(lambda: caplog.messages)
        assert "could not be asked" in caplog.messages[0]
        assert herald._thread.is_alive()
