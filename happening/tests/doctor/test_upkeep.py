"""Whether the work in the background is done, and what the doctor says where it is not."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone

from bookings import seat_counter, services
from bookings.models import BookingHistory
from bookings.reconcile import reconcile
from happening.doctor import drift, upkeep
from happening.tests.doctor.conftest import wrong
from notifications import outbox
from notifications.models import Notification
from orgs import account_mail
from orgs.models import AccountMail
from tests.factories import EventFactory, UserFactory


@pytest.fixture
def owed(db):
    """A message that is owed since ten minutes ago, and due since then."""
    with transaction.atomic():
        due = outbox.Owed(
            type="booking_confirmed",
            user_id=UserFactory().pk,
            dedupe_key=str(uuid4()),
            booking_id=uuid4(),
            event_id=uuid4(),
            payload={"title": "Late"},
        )
        outbox.enqueue([due], now=timezone.now() - timedelta(minutes=10))
    return Notification.objects.get()


@pytest.mark.django_db
class TestMessages:
    def test_are_well_where_none_waits(self):
        assert wrong(upkeep.messages()) == []

    def test_that_nobody_sends_are_late(self, owed):
        [finding] = wrong(upkeep.messages())
        assert finding.says.startswith("1 is due, the oldest for 10 min")
        assert "drain_outbox" in finding.mend

    def test_that_nobody_delivers_are_late(self, owed):
        Notification.objects.update(status="sent", sent_at=timezone.now() - timedelta(hours=1))
        [finding] = wrong(upkeep.messages())
        assert "deliver_notifications" in finding.mend


@pytest.mark.django_db
class TestAccountMail:
    def test_that_waits_for_long_is_late(self):
        now = timezone.now()
        account_mail.post(kind="notice", to="uma@example.org", subject="News", text="News", now=now)
        assert wrong(upkeep.account_mail()) == []
        AccountMail.objects.update(due_at=now - timedelta(minutes=10), last_error="refused")
        [finding] = wrong(upkeep.account_mail())
        assert finding.says == "1 mail is late (refused)"


@pytest.mark.django_db
class TestTheHistory:
    def test_is_said_to_stay_where_no_archive_is_named(self, settings):
        settings.HISTORY_ARCHIVE = ""
        BookingHistory.objects.create(
            booking_id=uuid4(), action="created", created_at=timezone.now() - timedelta(days=1_000)
        )
        [finding] = upkeep.history()
        assert "everything stays" in finding.says
        assert "the oldest month past 24 is 20" in finding.says


@pytest.mark.django_db(transaction=True)
class TestDrift:
    @pytest.fixture
    def event(self):
        event, now = EventFactory(total_slots=10), timezone.now()
        services.book(event_id=event.pk, user_id=UserFactory().pk, seats=2, key=uuid4(), now=now)
        return event

    def test_is_none_where_all_agree(self, event):
        assert wrong(drift.look()) == []

    def test_is_seen_in_redis_and_mended_by_the_mend(self, event):
        seat_counter.SEATS.client.set(f"event:{event.pk}:slots", 9)
        [finding] = wrong(drift.look())
        assert finding.says == f"counter of event {event.pk} is 9 and should be 8"
        assert finding.mend == f"Run `python manage.py reconcile_slots {event.pk}`."
        reconcile(now=timezone.now(), event_ids=[event.pk], second_look=0)
        assert wrong(drift.look()) == []

    def test_is_nobodys_news_where_counters_are_not_compared_any_more(self, event):
        reconcile(now=timezone.now(), second_look=0)
        assert wrong(drift.counters()) == []
        reconcile(now=timezone.now() - timedelta(hours=1), second_look=0)
        assert "worker" in wrong(drift.counters())[0].mend
