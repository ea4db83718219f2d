"""Reconciling: what is derived is compared with the seats booked and mended; the truth is never touched."""

import json
from io import StringIO

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection

from bookings import queue_mirror, reconcile, seat_counter
from bookings.models import BookingSeat, FreeRun
from bookings.seat_counter import SEATS
from events.models import Event
from tests.factories import EventFactory
from tests.truth import assert_sound

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def check(now):
    def checking(*events, **options):
        options.setdefault("second_look", 0)
        ids = [event.pk for event in events] or None
        return reconcile.reconcile(now=now, event_ids=ids, **options)

    return checking


def says(event) -> int | None:
    return seat_counter.read([event.pk])[event.pk]


def set_counter(event, seats: int) -> None:
    SEATS.client.set(f"event:{event.pk}:slots", seats)


class TestReconcile:
    def test_finds_nothing_where_all_is_well(self, event, book, cancel, check):
        book(event, 6)
        cancel(book(event, 2))
        book(event, 5, or_wait=True)
        report = check(event)
        assert (report.looked_at, report.drifts, report.is_clean) == (1, [], True)

    @pytest.mark.parametrize("lie", [0, 3, 500, -2])
    def test_mends_a_counter_that_lies(self, event, book, check, lie):
        book(event, 1)
        set_counter(event, lie)
        [drift] = check(event).drifts
        assert (drift.what, drift.was, drift.should_be, drift.size) == ("counter", lie, 9, lie - 9)
        assert drift.mended
        assert says(event) == 9

    def test_mends_what_a_counter_of_before_an_outage_still_says(self, event, book, check):
        book(event, 1)
        set_counter(event, 7)
        SEATS.client.incr(seat_counter.GENERATION)
        [drift] = check(event).drifts
        assert (drift.was, drift.should_be, drift.mended) == (7, 9, True)
        assert SEATS.client.get(f"event:{event.pk}:slots") == b"9"

    def test_leaves_everything_as_it_is_on_a_dry_run(self, event, book, check):
        book(event, 1)
        set_counter(event, 0)
        report = check(event, dry_run=True)
        assert not report.is_clean
        assert not report.drifts[0].mended
        assert says(event) == 0

    def test_takes_seats_under_way_for_no_drift(self, event, book, check, now, monkeypatch):
        book(event, 1)
        claim = seat_counter.claim(event.pk, seats=2, key=None, now=now)
        monkeypatch.setattr(reconcile.time, "sleep", lambda _: claim.give_back())
        assert check(event).drifts == []

    def test_leaves_a_counter_alone_that_moves_while_it_looks(self, event, book, check, monkeypatch):
        book(event, 1)
        set_counter(event, 4)
        mend = seat_counter.mend

        def too_late(*arguments, **options):
            set_counter(event, 3)
            return mend(*arguments, **options)

        monkeypatch.setattr(reconcile.seat_counter, "mend", too_late)
        assert [drift.mended for drift in check(event).drifts] == [False]
        assert says(event) == 3

    def test_recounts_available_slots_when_triggers_had_been_switched_off(self, event, book, check):
        book(event, 4)
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE events DISABLE TRIGGER events_counters_stay")
            cursor.execute("UPDATE events SET available_slots = 10 WHERE id = %s", [event.pk])
            cursor.execute("ALTER TABLE events ENABLE TRIGGER events_counters_stay")
        drifts = {drift.what: drift for drift in check(event).drifts}
        assert (drifts["available_slots"].was, drifts["available_slots"].should_be) == (10, 6)
        assert_sound(event.pk)

    def test_makes_wrong_free_runs_anew(self, event, book, check):
        book(event, 4)
        FreeRun.objects.filter(event=event).update(first_seat=8)
        [drift] = check(event).drifts
        assert (drift.what, drift.was, drift.should_be) == ("free_runs", 3, 6)
        assert_sound(event.pk)

    def test_never_touches_a_seat(self, event, book, check):
        book(event, 4)
        before = list(BookingSeat.objects.order_by("pk").values())
        FreeRun.objects.filter(event=event).delete()
        set_counter(event, 0)
        check(event)
        assert list(BookingSeat.objects.order_by("pk").values()) == before

    def test_looks_by_itself_at_the_events_that_have_a_counter(self, event, book, check):
        EventFactory()  # where nothing has happened
        book(event, 1)
        set_counter(event, 0)
        assert event.pk in {drift.event_id for drift in check().drifts}
        assert says(event) == 9

    def test_drops_the_counter_of_an_event_that_is_no_more(self, event, book, check):
        book(event, 1)
        Event.objects.filter(pk=event.pk).delete()
        check()
        assert says(event) is None
        assert event.pk not in set(seat_counter.counted())

    def test_finds_nothing_when_an_event_is_over(self, event, book, check):
        book(event, 4)
        Event.objects.filter(pk=event.pk).update(status="completed")
        assert check(event).drifts == []

    def test_finds_nothing_when_an_event_is_cancelled(self, event, book, cancel_event, check):
        book(event, 4)
        cancel_event(event)
        assert check(event).drifts == []
        assert says(event) == 0

    def test_leaves_word_of_the_last_check(self, event, book, check, now):
        check(event)
        assert cache.get(reconcile.LAST_CHECK) == {"at": now.isoformat(), "events": 1, "drift": 0}


class TestQueueMirror:
    @pytest.fixture
    def full(self, event, book):
        book(event, 10)
        return event

    def test_tells_the_place_of_everybody_in_line(self, full, book, cancel, modify):
        ada, ben, cleo = (book(full, 2, or_wait=True) for _ in range(3))
        assert [queue_mirror.place(party) for party in (ada, ben, cleo)] == [1, 2, 3]
        cancel(ada)
        assert [queue_mirror.place(party) for party in (ben, cleo)] == [1, 2]
        ben = modify(ben, 3)
        assert [queue_mirror.place(party) for party in (cleo, ben)] == [1, 2]

    def test_lets_go_who_is_promoted(self, event, book, cancel):
        first = book(event, 10)
        ada, ben = book(event, 10, or_wait=True), book(event, 10, or_wait=True)
        cancel(first)
        assert queue_mirror.place(ben) == 1
        assert queue_mirror.place(ada) is None

    def test_is_no_answer_once_it_was_wiped_and_is_made_anew(self, full, book, check):
        ada = book(full, 2, or_wait=True)
        SEATS.client.delete(*queue_mirror._keys(full.pk)[:2])
        ben = book(full, 2, or_wait=True)
        assert queue_mirror.place(ben) is None  # not even a part of the line is taken for the whole
        assert check().is_clean
        assert [queue_mirror.place(party) for party in (ada, ben)] == [1, 2]

    def test_is_mended_when_somebody_is_missing_or_should_be_gone(self, full, book, check):
        ada, ben = book(full, 2, or_wait=True), book(full, 2, or_wait=True)
        SEATS.client.zrem(f"event:{full.pk}:waitlist", str(ada.pk))
        [drift] = check(full).drifts
        assert (drift.what, drift.was, drift.should_be, drift.mended) == ("queue", 1, 2, True)
        assert [queue_mirror.place(party) for party in (ada, ben)] == [1, 2]


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

    def test_tells_each_drift_as_json_and_fails_on_a_dry_run(self, event, book):
        book(event, 1)
        set_counter(event, 0)
        out = StringIO()
        with pytest.raises(SystemExit) as ended:
            call_command("reconcile_slots", str(event.pk), "--dry-run", "--json", stdout=out)
        assert ended.value.code == 1
        [drift] = json.loads(out.getvalue())["drifts"]
        assert (drift["what"], drift["size"], drift["mended"]) == ("counter", -9, False)
