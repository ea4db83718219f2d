import time
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from notifications import relay, states
from notifications.broker import BrokerAway, Publisher
from notifications.models import Notification
from orgs import only_run


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

    def test_stays_for_what_comes_a_moment_later(self, owe, rabbit):
        """Each time somebody looks at the clock and all is sent, another is owed, until three are."""

        def clock():
            if Notification.objects.count() < 3 and not Notification.objects.filter(status="pending"):
                owe()
            return timezone.now()

        owe()
        assert relay.drain(clock=clock, stay=5.0, seconds=1.0) == 3
        assert len(rabbit.bodies()) == 3

    def test_does_not_stay_where_another_does(self, owe, rabbit):
        owe()
        other = connection.copy()
        try:
            with other.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_lock(%s, %s)", only_run.key("the relay that stays"))
            began = time.monotonic()
            assert relay.drain(clock=timezone.now, stay=20.0) == 1
            assert time.monotonic() - began < 10
        finally:
            other.close()

    def test_ends_when_nothing_more_comes(self, owe, rabbit):
        owe()
        began = time.monotonic()
        assert relay.drain(clock=timezone.now, stay=0.3) == 1
        assert time.monotonic() - began >= 0.3

    def test_does_not_look_again_through_what_it_has_claimed(self, owe, drain, rabbit, monkeypatch, now):
        monkeypatch.setattr(relay, "PAGE", 10)
        for minutes in range(25):
            owe(due_at=now - timedelta(hours=1) + timedelta(minutes=minutes))
        late, claim, looked_from = [], states.claim, []

        def claiming(**asked):
            looked_from.append(asked["behind"][0])
            if len(looked_from) == 5 and not late:
                late.append(owe(due_at=now - timedelta(hours=2)))
            return claim(**asked)

        monkeypatch.setattr(states, "claim", claiming)
        assert drain() == 25
        assert max(looked_from) == now - timedelta(hours=1) + timedelta(minutes=19)
        assert Notification.objects.get(pk=late[0].pk).status == "pending"
        assert drain() == 1  # the next run begins where the lookout does

    def test_asks_once_where_all_that_is_due_fits_into_a_page(self, owe, drain, rabbit, monkeypatch):
        owe(), owe("event_updated")
        claims, claim = [], states.claim
        monkeypatch.setattr(
            states, "claim", lambda **asked: claims.append(asked["in_bulk"]) or claim(**asked)
        )
        assert drain() == 2
        assert claims == [False, True]

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

    def test_loses_no_page_when_the_broker_is_lost_in_the_middle(self, owe, drain, rabbit, monkeypatch):
        monkeypatch.setattr(relay, "PAGE", 10)
        rows, sends, send = [owe() for _ in range(35)], [], Publisher.send

        def lost_before_the_second(publisher, messages):
            sends.append(messages)
            if len(sends) == 2:
                publisher._connection.close()
            send(publisher, messages)

        monkeypatch.setattr(Publisher, "send", lost_before_the_second)
        with pytest.raises(BrokerAway):
            drain()
        found = Notification.objects.filter(pk__in=[row.pk for row in rows])
        assert found.filter(status="sent").count() == 10
        assert found.filter(status="pending", attempts=0, lease_until=None).count() == 25

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


class TestPublisher:
    def test_lets_others_work_while_the_broker_takes_a_page(self, rabbit):
        with rabbit.publisher() as publisher:
            publisher.send((f"message {number}", "booking_confirmed") for number in range(300))
            assert len(publisher.settle().sent) == 300
            publisher.send([("the last", "booking_confirmed")])
            settled = publisher.settle()
        assert (settled.sent, settled.waiting) == (["the last"], 301)

    def test_does_not_wait_for_a_page_that_nobody_asks_for(self, rabbit, monkeypatch):
        monkeypatch.setattr(Publisher, "_confirmed", lambda publisher, frame: None)
        began = time.monotonic()
        with rabbit.publisher() as publisher:
            publisher.send([("never confirmed", "booking_confirmed")])
        assert time.monotonic() - began < 5


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
