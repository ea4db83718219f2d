"""The command, and what becomes of a check where something fails."""

import json
from io import StringIO

import pytest
import redis
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection

from bookings import checks, queue_mirror, reconcile, seat_counter, seats_side
from bookings.models import FreeRun
from bookings.seats_side import SEATS
from bookings.tests.counters import says, set_counter
from events.models import Event
from orgs.redis_side import RedisSide
from tests.factories import EventFactory
from tests.truth import assert_sound

pytestmark = pytest.mark.django_db(transaction=True)


class TestWhatFails:
    @pytest.fixture
    def redis_is_away(self, monkeypatch):
        side = RedisSide("seats")
        side.client = redis.Redis.from_url("redis://127.0.0.1:1", socket_connect_timeout=0.1)
        for module in (seat_counter, queue_mirror, checks):
            monkeypatch.setattr(module, "SEATS", side)

    def test_in_redis_leaves_postgresql_no_less_mended(self, event, book, check, monkeypatch, redis_is_away):
        cache.delete(reconcile.LAST_CHECK)
        book(event, 4)
        FreeRun.objects.filter(event=event).update(first_seat=8)
        report = check()
        assert event.pk in {drift.event_id for drift in report.drifts}
        assert (report.redis_is_away, report.is_clean) == (True, False)
        assert_sound(event.pk)
        assert cache.get(reconcile.LAST_CHECK) is None

    def test_in_redis_is_told_by_the_command(self, event, book, redis_is_away):
        book(event, 4)
        FreeRun.objects.filter(event=event).update(first_seat=8)
        out, trouble = StringIO(), StringIO()
        with pytest.raises(SystemExit) as ended:
            call_command("reconcile_slots", stdout=out, stderr=trouble)
        assert ended.value.code == 1
        assert f"Event {event.pk}: free_runs is 3, should be 6 (-3); mended." in out.getvalue()
        assert "Redis does not answer" in trouble.getvalue()
        assert_sound(event.pk)

    def test_with_one_event_keeps_no_other_from_being_mended(self, book, check, now):
        events = [EventFactory(total_slots=10) for _ in range(3)]
        for event in events:
            book(event, 4)
        FreeRun.objects.filter(event__in=events).update(first_seat=8)
        set_counter(events[2], 1)
        Event.objects.filter(pk=events[1].pk).update(layout={"sections": "unreadable"})
        report = check(*events)
        assert report.failed == [events[1].pk]
        mended = {(drift.event_id, drift.what): drift.mended for drift in report.drifts}
        assert mended == {
            (events[0].pk, "free_runs"): True,
            (events[1].pk, "free_runs"): False,
            (events[2].pk, "free_runs"): True,
            (events[2].pk, "counter"): True,
        }
        out, trouble = StringIO(), StringIO()
        with pytest.raises(SystemExit) as ended:
            call_command("reconcile_slots", *(str(event.pk) for event in events), stdout=out, stderr=trouble)
        assert ended.value.code == 1
        assert str(events[1].pk) in trouble.getvalue()


class TestCommand:
    def run(self, *arguments):
        out = StringIO()
        call_command("reconcile_slots", *arguments, stdout=out)
        return out.getvalue()

    def test_says_what_it_compared(self, event, book):
        book(event, 1)
        assert "1 events compared, 0 differences." in self.run(str(event.pk))

    def test_begins_the_counter_of_an_event_that_is_named(self, event):
        assert says(event) is None
        self.run(str(event.pk))
        assert says(event) == 10

    def test_begins_the_counter_of_before_an_outage_although_it_is_right(self, event, book, now):
        book(event, 1)
        SEATS.client.incr(seats_side.GENERATION)
        assert not seat_counter.claim(event.pk, seats=1, key=None, now=now).is_counted
        self.run(str(event.pk))
        assert seat_counter.claim(event.pk, seats=1, key=None, now=now).is_counted

    def test_changes_nothing_on_a_dry_run_and_says_each_drift_with_its_size(self, event, book):
        book(event, 8)
        ada, ben = (book(event, 5, or_wait=True) for _ in range(2))
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE events DISABLE TRIGGER events_counters_stay")
            cursor.execute("UPDATE events SET available_slots = 5 WHERE id = %s", [event.pk])
            cursor.execute("ALTER TABLE events ENABLE TRIGGER events_counters_stay")
        FreeRun.objects.filter(event=event).update(first_seat=10)
        set_counter(event, 7)
        SEATS.client.zrem(f"event:{event.pk}:waitlist", str(ada.pk))

        def everything():
            rows = [Event.objects.values().get(pk=event.pk), *FreeRun.objects.filter(event=event).values()]
            keys = sorted(SEATS.client.keys(f"*{event.pk}*"))
            return rows, [SEATS.client.dump(key) for key in keys], says(event)

        before, out = everything(), StringIO()
        with pytest.raises(SystemExit) as ended:
            call_command("reconcile_slots", "--json", "--dry-run", stdout=out)
        assert ended.value.code == 1
        facts = json.loads(out.getvalue())
        found = {each["what"]: each for each in facts["drifts"] if each["event_id"] == str(event.pk)}
        assert {what: (each["was"], each["should_be"], each["size"]) for what, each in found.items()} == {
            "available_slots": (5, 2, 3),
            "free_runs": (1, 2, -1),
            "counter": (7, 2, 5),
            "queue": (1, 2, -1),
        }
        assert not any(each["mended"] for each in found.values())
        assert (facts["ok"], facts["redis"], facts["failed"]) == (False, "ok", [])
        assert everything() == before
        call_command("reconcile_slots", stdout=StringIO())
        assert queue_mirror.place(ben) == 2
        assert_sound(event.pk)

    def test_tells_each_drift_as_json_and_fails_on_a_dry_run(self, event, book):
        book(event, 1)
        set_counter(event, 0)
        out = StringIO()
        with pytest.raises(SystemExit) as ended:
            call_command("reconcile_slots", str(event.pk), "--dry-run", "--json", stdout=out)
        assert ended.value.code == 1
        [drift] = json.loads(out.getvalue())["drifts"]
        assert (drift["what"], drift["size"], drift["mended"]) == ("counter", -9, False)
