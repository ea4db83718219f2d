import logging

from celery import shared_task
from django.utils import timezone

from notifications import reconcile, relay, retention
from notifications.broker import BrokerAway

STAY = 0.5  # seconds

logger = logging.getLogger(__name__)


@shared_task(name="notifications.drain_outbox")
def drain_outbox():
    try:
        relay.drain(clock=timezone.now, stay=STAY)
    except BrokerAway as away:
        logger.warning("What is owed to people waits. %s", away)


@shared_task(name="notifications.reconcile_outbox")
def reconcile_outbox():
    try:
        reconcile.reconcile(now=timezone.now())
    except BrokerAway as away:
        logger.warning("What became of messages cannot be looked up. %s", away)


@shared_task(name="notifications.forget_notifications")
def forget_notifications():
    retention.forget(now=timezone.now())
