"""Forgetting: only what was delivered and read long ago goes."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from notifications import retention
from notifications.models import Notification

pytestmark = pytest.mark.django_db


@pytest.fixture
def old(owe, now):
    """A message of long ago that was delivered and read, but for what is said of it."""

    def making(*, days: int = 400, **facts) -> Notification:
        at = now - timedelta(days=days)
        row = owe()
        facts = {"status": "delivered", "sent_at": at, "delivered_at": at, "read_at": at} | facts
        Notification.objects.filter(pk=row.pk).update(created_at=at, **facts)
        return row

    return making


def forget(**options) -> dict:
    out = StringIO()
    call_command("forget_notifications", json=True, stdout=out, **options)
    return json.loads(out.getvalue())


class TestForgetNotifications:
    def test_forgets_what_was_delivered_and_read_long_ago_page_by_page(self, old, now):
        for _ in range(5):
            old()
        assert retention.forget(now=now, page=2) == 5
        assert not Notification.objects.exists()
        assert retention.forget(now=now) == 0

    @pytest.mark.parametrize(
        "facts",
        [
            {"days": 390},
            {"read_at": None},
            {"status": "pending", "delivered_at": None},
            {"status": "sent", "delivered_at": None},
            {"status": "failed", "delivered_at": None, "failed_at": "2020-01-01 00:00Z"},
        ],
        ids=["young", "unread", "pending", "sent", "failed"],
    )
    def test_keeps_what_somebody_may_still_need(self, old, facts):
        row = old(**facts)
        assert forget()["messages"] == 0
        assert Notification.objects.filter(pk=row.pk).exists()

    def test_forgets_nothing_in_a_dry_run(self, old):
        old()
        assert forget(dry_run=True) == {"dry_run": True, "messages": 1}
        assert Notification.objects.count() == 1

    def test_is_not_talked_into_forgetting_what_is_young(self, old, now):
        old(days=100)
        with connection.cursor() as cursor:
            cursor.execute("SELECT forget_notifications(%s, 10)", [now])
            assert cursor.fetchone() == (0,)

    def test_is_open_to_a_role_that_may_not_delete(self, old, now):
        old()
        with connection.cursor() as cursor:
            cursor.execute("CREATE ROLE clerk")
            cursor.execute("SET LOCAL ROLE clerk")
            cursor.execute("SELECT forget_notifications(%s, 10)", [now])
            forgotten = cursor.fetchone()
            cursor.execute("RESET ROLE")
        assert forgotten == (1,)
