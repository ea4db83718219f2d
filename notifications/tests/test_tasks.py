"""What becomes of a task's run while the broker is away, or holds other queues than ours."""

import logging

import pytest

from notifications.broker import BrokerAway, DoesNotFit
from notifications.tasks import drain_outbox, reconcile_outbox
from orgs.models import JobRun


@pytest.mark.django_db(transaction=True)
class TestARun:
    @pytest.fixture
    def ran(self, owe, caplog):
        """How a task's run ended, and what was said of it in which tone."""

        def running(task, error):
            owe()
            caplog.clear()
            with caplog.at_level("WARNING"):
                assert isinstance(task.apply().result, error)
            assert not any(record.exc_info for record in caplog.records)
            [said] = caplog.records
            return JobRun.objects.get().outcome, said.levelno, said.getMessage()

        return running

    def test_fails_in_one_line_while_the_broker_is_away(self, ran, settings):
        settings.AMQP_URL = "amqp://127.0.0.1:1//"
        outcome, level, words = ran(drain_outbox, BrokerAway)
        assert (outcome, level) == ("failed", logging.WARNING)
        assert words.startswith("What is owed to people waits. RabbitMQ is away")

    def test_fails_with_an_error_where_a_queue_was_declared_otherwise(self, ran, rabbit):
        rabbit.channel().queue_declare(rabbit.topology.queue, auto_delete=True)
        outcome, level, words = ran(drain_outbox, DoesNotFit)
        assert (outcome, level) == ("failed", logging.ERROR)
        assert "was declared otherwise" in words

    def test_that_has_nothing_to_ask_the_broker_for_is_done(self, settings, db):
        settings.AMQP_URL = "amqp://127.0.0.1:1//"
        drain_outbox.apply(throw=True)
        reconcile_outbox.apply(throw=True)
        assert set(JobRun.objects.values_list("outcome", flat=True)) == {"done"}
