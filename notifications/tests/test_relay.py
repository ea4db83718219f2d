from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from notifications import relay, states
from notifications.broker import BrokerAway
from notifications.models import Notification


@pytest.fixture
def drain(now):
    def draining(*, at=None) -> int:
        return relay.drain(clock=lambda: at or timezone.now())

    return draining


@pytest.mark.django_db
class TestDrain:
    def test_publishes_what_is_due_and_marks_it_sent(self, owe, drain, rabbit, now):
        rows = [owe() for _ in range(3)]
        later = owe(due_at=now + timedelta(hours=1))
        assert drain() == 3
        assert sorted(rabbit.bodies()) == sorted(str(row.pk) for row in rows)
        sent = Notification.objects.get(pk=rows[0].pk)
        assert (sent.status, sent.attempts, sent.lease_until, sent.last_error) == ("sent", 1, None, None)
        assert sent.sent_at >= now
        later.refresh_from_db()
        assert (later.status, later.attempts) == ("pending", 0)

    def test_publishes_more_than_a_page(self, owe, drain, rabbit, monkeypatch):
        monkeypatch.setattr(relay, "PAGE", 10)
        for _ in range(25):
            owe()
        assert drain() == 25
        assert len(set(rabbit.bodies())) == 25

    def test_of_nothing_asks_no_broker(self, drain, settings, db):
        settings.AMQP_URL = "amqp://127.0.0.1:1//"
        assert drain() == 0

    def test_leaves_to_another_relay_what_it_has_in_hand(self, owe, drain, rabbit, now):
        owe()
        assert len(states.claim(in_bulk=False, most=10, now=now)) == 1
        assert drain() == 0

    def test_claims_again_what_a_dead_relay_had_in_hand(self, owe, drain, rabbit, now):
        row = owe()
        states.claim(in_bulk=False, most=10, now=now)
        assert drain(at=now + states.RELAY_LEASE + timedelta(seconds=1)) == 1
        row.refresh_from_db()
        assert (row.status, row.attempts) == ("sent", 2)

    def test_changes_nothing_when_it_comes_too_late(self, owe, now):
        row = owe()
        lease = now + states.RELAY_LEASE
        states.claim(in_bulk=False, most=10, now=now)
        states.claim(in_bulk=False, most=10, now=lease + timedelta(seconds=1))
        assert states.handed_over([row.pk], lease=lease, now=now) == 0

    def test_waits_without_counting_an_attempt_while_the_broker_is_away(self, owe, drain, settings):
        settings.AMQP_URL = "amqp://127.0.0.1:1//"
        row = owe()
        with pytest.raises(BrokerAway):
            drain()
        row.refresh_from_db()
        assert (row.status, row.attempts, row.lease_until) == ("pending", 0, None)

    def test_keeps_what_no_queue_takes(self, owe, drain, rabbit, monkeypatch):
        row = owe()
        declare = type(rabbit.publisher())._declare

        def nobody_bound(publisher):
            declare(publisher)
            publisher._channel.queue_bind(publisher.topology.queue, publisher.topology.exchange, "nothing")
            publisher._channel.queue_unbind(publisher.topology.queue, publisher.topology.exchange, "#")

        monkeypatch.setattr(type(rabbit.publisher()), "_declare", nobody_bound)
        assert drain() == 0
        row.refresh_from_db()
        assert (row.status, row.attempts, row.lease_until) == ("pending", 0, None)
        assert "NO_ROUTE" in row.last_error
        assert row.due_at > timezone.now() + timedelta(seconds=3)

    def test_keeps_what_the_queue_refuses(self, owe, drain, rabbit, monkeypatch):
        monkeypatch.setattr("notifications.broker.topology.MAX_LENGTH", 1)
        rows = [owe() for _ in range(5)]
        assert 1 <= drain() < 5
        refused = Notification.objects.filter(pk__in=[row.pk for row in rows], status="pending")
        assert {row.attempts for row in refused} == {0}
        assert all("refused" in row.last_error for row in refused)


@pytest.mark.django_db
class TestLanes:
    def test_let_people_s_own_doing_pass_what_is_owed_in_bulk(self, owe, drain, rabbit, monkeypatch, now):
        monkeypatch.setattr(relay, "BULK_ROOM", 10)
        early = now - timedelta(minutes=5)
        for _ in range(30):
            owe("event_updated", at=early)
        own = {str(owe().pk) for _ in range(3)}
        assert drain() == 10
        assert set(rabbit.bodies()[:3]) == own
        assert Notification.objects.filter(status="pending", in_bulk=True).count() == 23

    def test_go_on_with_the_bulk_once_the_queue_is_short_again(self, owe, drain, rabbit, monkeypatch):
        monkeypatch.setattr(relay, "BULK_ROOM", 10)
        for _ in range(30):
            owe("event_cancelled")
        assert drain() == 10
        assert drain() == 0
        assert len(rabbit.bodies()) == 10
        assert drain() == 10


@pytest.mark.django_db
class TestDrainOutbox:
    def test_says_how_many_it_handed_over(self, owe, rabbit, capsys):
        owe()
        call_command("drain_outbox")
        assert capsys.readouterr().out == "Handed over 1 messages to RabbitMQ.\n"

    def test_fails_while_the_broker_is_away(self, owe, settings):
        settings.AMQP_URL = "amqp://127.0.0.1:1//"
        owe()
        with pytest.raises(CommandError, match="RabbitMQ is away"):
            call_command("drain_outbox")
