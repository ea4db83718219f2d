import logging
from collections.abc import Iterator
from contextlib import contextmanager

from celery import shared_task
from django.utils import timezone

from notifications import reconcile, relay, retention
from notifications.broker import BrokerAway, DoesNotFit

STAY = 0.5  # seconds

logger = logging.getLogger(__name__)


@shared_task(name="notifications.drain_outbox", throws=(BrokerAway,))
def drain_outbox():
    with _said_why("What is owed to people waits."):
        relay.drain(clock=timezone.now, stay=STAY)


@shared_task(name="notifications.reconcile_outbox", throws=(BrokerAway,))
def reconcile_outbox():
    with _said_why("What became of messages cannot be looked up."):
        reconcile.reconcile(now=timezone.now())


@shared_task(name="notifications.forget_notifications")
def forget_notifications():
    retention.forget(now=timezone.now())


@contextmanager
def _said_why(what: str) -> Iterator[None]:
    """A broker that is away, or has other queues than ours, fails the task in one line, without a traceback
    (`throws`). What waiting does not mend is an error."""
    try:
        yield
    except BrokerAway as away:
        logger.log(logging.ERROR if isinstance(away, DoesNotFit) else logging.WARNING, "%s %s", what, away)
        raise
