from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifications import outbox
from notifications.models import Notification
from tests.factories import UserFactory


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def owed(db):
    """A message to one and the same person, about something new each time."""
    person = UserFactory()

    def message(**facts):
        defaults = {"type": "booking_confirmed", "user_id": person.pk, "dedupe_key": f"test:{uuid4()}"}
        return outbox.Owed(**{**defaults, **facts})

    return message


@pytest.mark.django_db
class TestEnqueue:
    def test_writes_a_pending_row_with_the_facts_as_they_are_now(self, owed, now):
        event, booking, org = uuid4(), uuid4(), uuid4()
        starts = now + timedelta(days=1)
        message = owed(
            payload={"title": "Ōsaka “live”", "starts_at": starts, "seats": 2},
            event_id=event,
            booking_id=booking,
            org_id=org,
        )
        outbox.enqueue([message], now=now)
        row = Notification.objects.get()
        assert (row.type, row.status, row.user_id) == ("booking_confirmed", "pending", message.user_id)
        assert (row.event_id, row.booking_id, row.org_id) == (event, booking, org)
        assert row.payload["title"] == "Ōsaka “live”"
        assert row.payload["starts_at"].startswith(starts.strftime("%Y-%m-%dT%H:%M"))
        assert (row.attempts, row.read_at, row.lease_until) == (0, None, None)

    def test_makes_it_due_now_or_when_it_says(self, owed, now):
        outbox.enqueue([owed(), owed(due_at=now + timedelta(hours=1))], now=now)
        assert [row.due_at for row in Notification.objects.order_by("due_at")] == [
            now,
            now + timedelta(hours=1),
        ]

    def test_says_the_same_thing_to_the_same_person_once(self, owed, now):
        outbox.enqueue([owed(dedupe_key="a", payload={"seats": 1})], now=now)
        outbox.enqueue([owed(dedupe_key="a", payload={"seats": 2}), owed(dedupe_key="b")], now=now)
        assert Notification.objects.count() == 2
        assert Notification.objects.get(dedupe_key="a").payload == {"seats": 1}

    def test_says_it_once_even_when_it_comes_twice_in_one_go(self, owed, now):
        outbox.enqueue([owed(dedupe_key="a"), owed(dedupe_key="a")], now=now)
        assert Notification.objects.count() == 1

    def test_keeps_the_order_of_the_messages_in_their_ids(self, owed, now):
        messages = [owed() for _ in range(20)]
        outbox.enqueue(messages, now=now)
        keys = Notification.objects.order_by("id").values_list("dedupe_key", flat=True)
        assert list(keys) == [message.dedupe_key for message in messages]

    def test_writes_a_thousand_in_one_statement(self, owed, now):
        with CaptureQueriesContext(connection) as captured:
            outbox.enqueue([owed() for _ in range(1_000)], now=now)
        assert len(captured) == 1
        assert Notification.objects.count() == 1_000

    def test_of_nothing_does_nothing(self, db, now):
        with CaptureQueriesContext(connection) as captured:
            outbox.enqueue([], now=now)
        assert len(captured) == 0

    def test_refuses_a_type_that_nobody_knows(self, owed, now):
        with pytest.raises(IntegrityError, match="notification_type_is_known"), transaction.atomic():
            outbox.enqueue([owed(type="gossip")], now=now)


@pytest.mark.django_db(transaction=True)
class TestTheTransaction:
    def test_must_be_open(self, owed, now):
        with pytest.raises(outbox.NoTransaction):
            outbox.enqueue([owed()], now=now)
        with pytest.raises(outbox.NoTransaction):
            outbox.enqueue([], now=now)

    def test_takes_the_message_along_when_it_fails(self, owed, now):
        with transaction.atomic():
            outbox.enqueue([owed()], now=now)
            transaction.set_rollback(True)
        assert not Notification.objects.exists()

    def test_keeps_the_message_when_it_commits(self, owed, now):
        with transaction.atomic():
            outbox.enqueue([owed()], now=now)
        assert Notification.objects.count() == 1
