"""Forgets what was delivered, and read, more than thirteen months ago.

What is pending, sent, failed or unread stays, however old: somebody still has to see to it. The database's
function `forget_notifications` holds that rule, and the runtime role has no other way to delete. Each page is
a transaction of its own and passes over rows that somebody has in hand, so runs may overlap or be cut off.
"""

from datetime import datetime, timedelta

from django.db import connection
from django.db.models import QuerySet

from notifications.models import Notification

KEPT = timedelta(days=396)  # no 13 months are longer than these
PAGE = 5_000


def done_with(*, now: datetime) -> QuerySet:
    """What may be forgotten."""
    return Notification.objects.filter(
        status=Notification.Status.DELIVERED, read_at__isnull=False, delivered_at__lt=now - KEPT
    )


def forget(*, now: datetime, page: int = PAGE) -> int:
    """Forget it, in pages; returns how many messages were forgotten."""
    forgotten = 0
    while went := _forget_page(before=now - KEPT, most=page):
        forgotten += went
    return forgotten


def _forget_page(*, before: datetime, most: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT forget_notifications(%s, %s)", [before, most])
        return cursor.fetchone()[0]
