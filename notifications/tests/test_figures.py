from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from notifications import figures
from notifications.models import Notification
from orgs.admin_site import model_admin
from tests.factories import OrganizationFactory, UserFactory


@pytest.fixture
def became(owe, now):
    """A message owed some time ago, and what became of it."""

    def becoming(status="pending", kind="booking_confirmed", *, org=None, ago=timedelta(0), after=1.0):
        row = owe(kind, org_id=org and org.pk, at=now - ago)
        moments = {
            "pending": {},
            "sent": {"sent_at": now - ago},
            "delivered": {"sent_at": now - ago, "delivered_at": now - ago + timedelta(seconds=after)},
            "failed": {"failed_at": now - ago, "last_error": "550"},
        }
        Notification.objects.filter(pk=row.pk).update(status=status, created_at=now - ago, **moments[status])
        return row

    return becoming


@pytest.mark.django_db
class TestFigures:
    def test_tell_what_is_under_way_and_since_when(self, became, now):
        became("pending", ago=timedelta(minutes=2))
        became("pending", "event_updated", ago=timedelta(minutes=1))
        became("sent", ago=timedelta(seconds=30))
        became("failed")
        assert figures.backlog(now=now) == figures.Backlog(
            pending=2, due=2, sent=1, failed=1, oldest_due_seconds=120.0, oldest_sent_seconds=30.0
        )

    def test_of_nothing_are_zero(self, db, now):
        assert figures.backlog(now=now) == figures.Backlog(0, 0, 0, 0, 0.0, 0.0)
        assert figures.by_type_and_organization(since=now) == []

    def test_tell_what_became_of_each_type_in_each_organization(self, became, now):
        acme = OrganizationFactory(name="Acme")
        became("delivered", org=acme, after=1.0)
        became("delivered", org=acme, after=3.0)
        became("failed", "event_reminder")
        reminders, confirmations = figures.by_type_and_organization(since=now - timedelta(days=1))
        assert reminders == figures.Line("event_reminder", None, 0, 1, 0, 0, None)
        assert confirmations == figures.Line("booking_confirmed", "Acme", 2, 0, 0, 0, 2.0)

    def test_keep_organizations_of_one_name_apart(self, became, now):
        for status in ("delivered", "failed"):
            became(status, org=OrganizationFactory(name="Acme"))
        failed, delivered = figures.by_type_and_organization(since=now - timedelta(days=1))
        assert (failed.organization, failed.failed, failed.delivered) == ("Acme", 1, 0)
        assert (delivered.organization, delivered.failed, delivered.delivered) == ("Acme", 0, 1)

    def test_tell_it_hour_by_hour(self, became, now):
        became("delivered")
        became("failed", ago=timedelta(hours=3))
        hours = figures.by_hour(now=now)
        assert len(hours) == 24
        assert (hours[-1].delivered, hours[-4].failed, sum(hour.total for hour in hours)) == (1, 1, 2)


@pytest.mark.django_db
class TestThePlatformsAdmin:
    @pytest.fixture
    def staff(self, client):
        client.force_login(UserFactory(platform_staff=True))
        return client

    def test_shows_the_figures_with_a_chart(self, staff, became):
        became("failed")
        page = staff.get(reverse("admin:notifications_figures"))
        words = page.content.decode()
        assert page.status_code == 200
        assert "<svg" in words
        assert "style=" not in words.split('id="content-main"')[1].split("</svg>")[0]
        assert "0 delivered, 0 under way, 1 failed" in words

    def test_shows_them_to_nobody_else(self, client, db):
        client.force_login(UserFactory())
        assert client.get(reverse("admin:notifications_figures")).status_code in (302, 403)

    def test_tries_again_what_has_failed_and_nothing_else(self, staff, became):
        failed, delivered = became("failed"), became("delivered")
        answer = staff.post(
            reverse("admin:notifications_notification_changelist"),
            {"action": "try_again", "_selected_action": [str(failed.pk), str(delivered.pk)]},
            follow=True,
        )
        assert "1 message will be sent again" in answer.content.decode()
        failed.refresh_from_db()
        delivered.refresh_from_db()
        assert (failed.status, failed.attempts, delivered.status) == ("pending", 0, "delivered")
        assert failed.due_at <= timezone.now()

    def test_tries_only_so_many_at_once(self, staff, became, monkeypatch):
        monkeypatch.setattr(model_admin, "MOST_AT_ONCE", 1)
        failed = [became("failed") for _ in range(2)]
        answer = staff.post(
            reverse("admin:notifications_notification_changelist"),
            {"action": "try_again", "_selected_action": [str(row.pk) for row in failed]},
            follow=True,
        )
        assert "Choose at most 1 of them at once" in answer.content.decode()
        assert set(Notification.objects.values_list("status", flat=True)) == {"failed"}
