"""Redis about itself."""

from collections.abc import Iterator

import redis
from django.conf import settings
from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily


def client(purpose: str) -> redis.Redis:
    """A connection for the figures alone: no breaker, so reading them shuts nobody else out."""
    return redis.Redis.from_url(
        settings.REDIS_URLS[purpose],
        socket_timeout=settings.REDIS_TIMEOUT,
        socket_connect_timeout=settings.REDIS_TIMEOUT,
    )


def server() -> Iterator[Metric]:
    with client("cache") as asked:
        facts = asked.info()
    yield GaugeMetricFamily("happening_redis_memory_bytes", "Memory in use.", value=facts["used_memory"])
    yield GaugeMetricFamily(
        "happening_redis_memory_most_bytes", "maxmemory; 0: none.", value=facts["maxmemory"]
    )
    yield GaugeMetricFamily("happening_redis_clients", "Connections.", value=facts["connected_clients"])
    yield CounterMetricFamily("happening_redis_evicted_keys", "Keys thrown out.", value=facts["evicted_keys"])
