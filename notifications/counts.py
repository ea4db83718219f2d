"""What becomes of messages as they are delivered, and who watches: counted as it happens."""

from collections.abc import Iterable
from datetime import datetime

from notifications.models import Notification
from orgs.counting import Counter, Gauge, Histogram

DELIVERIES = Counter(
    "happening_deliveries_total",
    "Messages in the sender's hands, by what became of them.",
    ["type", "outcome"],
)
SECONDS = Histogram(
    "happening_delivery_seconds",
    "From the change to the message delivered.",
    ["type"],
    buckets=(1, 2, 5, 10, 30, 60, 300, 1_800, 7_200, 86_400),
)
AWAITING = Gauge(
    "happening_senders_awaiting_mail_server",
    "Senders that listen to no message because the mail server is away.",
    multiprocess_mode="livesum",
)
STREAMS = Gauge("happening_live_streams", "Streams that are open.", multiprocess_mode="livesum")
MOST_STREAMS = Gauge("happening_live_streams_most", "Streams that may be open.", multiprocess_mode="livesum")


def delivered(ones: Iterable[Notification], *, now: datetime) -> None:
    for one in ones:
        DELIVERIES.labels(one.type, "delivered").inc()
        SECONDS.labels(one.type).observe(max(0.0, (now - one.created_at).total_seconds()))


def became(outcome: str, ones: Iterable[Notification]) -> None:
    """superseded, failed, postponed (refused for now) or away (the mail server was)."""
    for one in ones:
        DELIVERIES.labels(one.type, outcome).inc()
