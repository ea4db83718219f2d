"""Queues: RabbitMQ's, and Celery's wherever it keeps them."""

from collections.abc import Iterator

from django.conf import settings
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from happening import celery
from happening.metrics import redis
from notifications.broker import Topology, depths


def queues() -> Iterator[Metric]:
    """Their names as they are on a broker of our own, so that they are the same everywhere."""
    messages = GaugeMetricFamily("happening_queue_messages", "Messages that wait.", labels=["queue"])
    consumers = GaugeMetricFamily("happening_queue_consumers", "Who reads the queue.", labels=["queue"])
    if settings.AMQP_URL:
        ours, plain = Topology.ours(), Topology()
        names = {celery.NAME: "celery", ours.queue: plain.queue, ours.dead: plain.dead}
        for queue, depth in depths(settings.AMQP_URL, list(names)).items():
            if depth:
                messages.add_metric([names[queue]], depth.messages)
                consumers.add_metric([names[queue]], depth.consumers)
    else:
        with redis.client("celery") as asked:
            messages.add_metric(["celery"], asked.llen(celery.NAME))
    yield from (messages, consumers)
