from datetime import timedelta

import pytest
from django.utils import timezone

from notifications import relay, states
from notifications.broker import BrokerAway
from notifications.models import Notification
from notifications.reconcile import DIED, LOST, LOST_AFTER, reconcile


@pytest.fixture
def sent(owe, now):
    """A row that the broker took at some time."""

    def sending(*, ago: timedelta, **columns):
        row = owe()
        Notification.objects.filter(pk=row.pk).update(
            **{"status": "sent", "sent_at": now - ago, "attempts": 1, **columns}
        )
        return row

    return sending


LONG_AGO = LOST_AFTER + timedelta(minutes=1)


@pytest.mark.django_db
class TestReconcile:
    def test_offers_again_what_the_broker_lost(self, sent, rabbit, now):
        row = sent(ago=LONG_AGO)
        assert reconcile(now=now) == 1
        row.refresh_from_db()
        assert (row.status, row.last_error, row.due_at) == ("pending", LOST, now)
        assert relay.drain(clock=timezone.now) == 1

    def test_has_patience(self, sent, rabbit, now):
        sent(ago=timedelta(minutes=1))
        assert reconcile(now=now) == 0

    def test_does_not_take_what_waits_in_the_queue_for_lost(self, owe, sent, rabbit, now):
        owe()
        relay.drain(clock=timezone.now)
        row = sent(ago=LONG_AGO)
        assert reconcile(now=now) == 0
        row.refresh_from_db()
        assert row.status == "sent"

    def test_offers_again_what_was_lost_while_the_queue_is_never_empty(self, owe, sent, rabbit, now):
        owe()
        relay.drain(clock=timezone.now)
        lost, waiting = sent(ago=2 * LONG_AGO), sent(ago=LONG_AGO)
        in_hand = sent(ago=LONG_AGO, lease_until=now + states.SENDER_LEASE)
        assert reconcile(now=now) == 1
        for row in (lost, waiting, in_hand):
            row.refresh_from_db()
        assert [lost.status, waiting.status, in_hand.status] == ["pending", "sent", "sent"]
        assert lost.last_error == LOST

    def test_learns_nothing_of_the_queue_from_what_was_quicker_than_the_relays_mark(
        self, owe, sent, rabbit, now
    ):
        owe()
        relay.drain(clock=timezone.now)
        sent(ago=LONG_AGO)
        sent(ago=timedelta(0), lease_until=now + states.SENDER_LEASE)
        assert reconcile(now=now) == 0

    def test_offers_again_what_a_dead_sender_had_in_hand(self, sent, straight, now):
        row = sent(ago=timedelta(minutes=1), lease_until=now - timedelta(seconds=1))
        assert reconcile(now=now) == 1
        row.refresh_from_db()
        assert (row.status, row.lease_until, row.last_error) == ("pending", None, DIED)

    def test_leaves_alone_what_a_sender_has_in_hand(self, sent, rabbit, now):
        sent(ago=LONG_AGO, lease_until=now + states.SENDER_LEASE)
        assert reconcile(now=now) == 0

    def test_gives_up_what_was_tried_too_often(self, sent, straight, now):
        row = sent(ago=LONG_AGO, lease_until=now - timedelta(seconds=1), attempts=10)
        reconcile(now=now)
        row.refresh_from_db()
        assert (row.status, row.failed_at) == ("failed", now)
        assert row.last_error == f"Tried 10 times. {DIED}"

    def test_waits_longer_the_more_often_it_happened(self, sent, straight, now):
        row = sent(ago=LONG_AGO, lease_until=now - timedelta(seconds=1), attempts=4)
        reconcile(now=now)
        row.refresh_from_db()
        assert row.due_at >= now + timedelta(minutes=3)

    def test_parts_those_who_shared_a_batch(self, sent, straight, now):
        for _ in range(20):
            sent(ago=LONG_AGO, lease_until=now - timedelta(seconds=1), attempts=2)
        assert reconcile(now=now) == 20
        moments = set(Notification.objects.values_list("due_at", flat=True))
        assert len(moments) == 20
        assert now + timedelta(minutes=1) <= min(moments) < max(moments) <= now + timedelta(seconds=90)

    def test_knows_nothing_of_a_broker_that_is_away(self, sent, settings, now):
        settings.AMQP_URL = "amqp://127.0.0.1:1//"
        sent(ago=LONG_AGO)
        with pytest.raises(BrokerAway):
            reconcile(now=now)
