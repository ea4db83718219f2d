"""Reconciling: what is derived is compared with the seats booked and mended; the truth is never touched."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bookings import counts, proof, reconcile, seat_counter, seats_side, services
from bookings.models import BookingSeat, FreeRun
from bookings.seats_side import SEATS
from bookings.tests.counters import says, set_counter
from events.models import Event
from tests.factories import EventFactory
from tests.truth import assert_sound

pytestmark = pytest.mark.django_db(transaction=True)


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
        SEATS.client.incr(seats_side.GENERATION)
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
        report = check(event)
        assert (report.drifts, report.is_clean) == ([], True)  # people book; the next check looks again
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

    def test_leaves_word_of_the_last_check_of_all_that_is_busy(self, event, book, check, now):
        cache.delete(reconcile.LAST_CHECK)
        book(event, 1)
        check(event)
        check(dry_run=True)
        assert cache.get(reconcile.LAST_CHECK) is None
        looked_at = check().looked_at
        assert cache.get(reconcile.LAST_CHECK) == {"at": now.isoformat(), "events": looked_at, "drift": 0}

    def test_sees_runs_of_the_right_size_in_the_wrong_place(self, event, book, check):
        book(event, 4)
        FreeRun.objects.filter(event=event).update(first_seat=1, last_seat=6)
        [drift] = check(event).drifts
        assert (drift.what, drift.was, drift.should_be, drift.mended) == ("misplaced_runs", 1, 0, True)
        assert_sound(event.pk)

    @pytest.mark.parametrize("change", [{"waitlist": True}, {"visibility": "members"}])
    def test_begins_a_counter_anew_that_refuses_for_good_what_the_event_would_not(self, book, check, change):
        event = EventFactory(total_slots=2, waitlist=False)
        book(event, 2)
        Event.objects.filter(pk=event.pk).update(**change)
        assert proof.with_redis(proof.proofs([event.pk]))[0].terms_are_off
        assert check(event).drifts == []
        assert not proof.with_redis(proof.proofs([event.pk]))[0].terms_are_off
        assert services.set_aside(event_id=event.pk, seats=1, now=timezone.now()).seats == 0
        assert says(event) == 0

    def test_counts_no_drift_that_it_was_to_leave(self, event, book, check):
        book(event, 1)
        set_counter(event, 0)
        before = counts.DRIFT.labels("counter", "no")._value.get()
        check(event, dry_run=True)
        assert counts.DRIFT.labels("counter", "no")._value.get() == before


class TestTheListOfEventsThatAreCounted:
    def test_loses_an_event_whose_counter_has_expired(self, event, book, check):
        book(event, 1)
        SEATS.client.delete(f"event:{event.pk}:slots")
        check()
        assert event.pk not in set(seat_counter.counted())

    @pytest.mark.parametrize("end", ["status", "booking_closes_at"])
    def test_loses_an_event_that_nobody_can_book_any_more_and_its_counter(self, event, book, check, now, end):
        book(event, 1)
        ended = {"status": "completed", "booking_closes_at": now - timedelta(seconds=1)}
        Event.objects.filter(pk=event.pk).update(**{end: ended[end]})
        check()
        assert event.pk not in set(seat_counter.counted())
        assert says(event) is None

    def test_has_it_again_once_booking_goes_on(self, event, book, check, now):
        book(event, 1)
        Event.objects.filter(pk=event.pk).update(booking_closes_at=now)
        check()
        Event.objects.filter(pk=event.pk).update(booking_closes_at=None)
        book(event, 1)
        assert says(event) == 8
        assert event.pk in set(seat_counter.counted())

    def test_keeps_one_that_is_off_until_it_is_right(self, event, book, check):
        book(event, 1)
        Event.objects.filter(pk=event.pk).update(status="completed")
        set_counter(event, 3)
        assert [drift.size for drift in check(event).drifts] == [-6]
        check(event)
        assert says(event) is None

    def test_is_worked_off_in_as_many_statements_however_long_it_is(self, book, check):
        def statements(events):
            for _ in range(events):
                book(EventFactory(), 1)
            with CaptureQueriesContext(connection) as queries:
                assert check().looked_at >= events
            return len(queries)

        assert statements(20) == statements(1)
