"""Trying again what was given up: failed notifications, by hand, and the broker's dead letters.

A failed notification becomes pending as if it were new. A dead letter is only a hint to look at a row: the
row goes its way by itself (`reconcile`), so the letter is thrown away, after its row was made pending if it
had failed. A letter that names no row is thrown away too; what it said stands in the log.
"""

import logging
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db.models import Count

from notifications import states
from notifications.broker import Topology, dead_letters
from notifications.models import Notification

PAGE = 1_000

logger = logging.getLogger(__name__)


def redrive(
    *, types: list[str], before: datetime | None, now: datetime, dry_run: bool = False
) -> dict[str, int]:
    """Make failed notifications pending again; returns how many of each type.

    Args:
        types: only these; all where it is empty.
        before: only those that failed before this moment; what fails from `now` on was just tried.
    """
    rows = Notification.objects.filter(status=Notification.Status.FAILED, failed_at__lt=before or now)
    if types:
        rows = rows.filter(type__in=types)
    counts = dict(rows.values_list("type").annotate(count=Count("pk")).order_by("type"))
    while not dry_run and (page := list(rows.order_by("failed_at").values_list("pk", flat=True)[:PAGE])):
        states.again(page, now=now)
    return counts


def redrive_dead_letters(*, now: datetime, dry_run: bool = False) -> int:
    """Empty the dead-letter queue; returns how many letters there were.

    Raises:
        BrokerAway: it does not answer.
    """
    if not settings.AMQP_URL:
        return 0
    with dead_letters(settings.AMQP_URL, Topology.ours()) as letters:
        if dry_run:
            return letters.count()
        taken = 0
        for body in letters.take():
            _put_right(body, now=now)
            taken += 1
        return taken


def _put_right(body: bytes, *, now: datetime) -> None:
    try:
        row_id = UUID(body.decode())
    except ValueError:
        logger.warning("A dead letter that names no notification is thrown away: %r", body[:200])
        return
    states.again([row_id], now=now)
