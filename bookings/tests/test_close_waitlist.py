from datetime import timedelta
from importlib import import_module

import pytest

from bookings import services
from bookings.models import Booking
from events.models import Event
from tests.factories import EventFactory
from tests.truth import (
    assert_sound,
    assert_told_of_every_change,
    deeds_of,
    last_line_of,
    last_message_about,
    line_of,
    messages_about,
    seats_of,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("as_the_application")]

module = import_module("bookings.services.close_waitlist")


@pytest.fixture
def waiting(event, book):
    book(event, 10)
    return [book(event, seats, or_wait=True) for seats in (2, 1, 3)]


class TestCloseWaitlist:
    def test_lets_everybody_go_who_still_waits(self, event, waiting):
        assert services.close_waitlist(event_id=event.pk, now=event.event_date) == 3
        assert line_of(event.pk) == []
        assert Booking.objects.confirmed().count() == 1
        assert_sound(event.pk)

    def test_says_that_they_were_not_promoted(self, event, waiting):
        services.close_waitlist(event_id=event.pk, now=event.event_date)
        for booking in waiting:
            assert deeds_of(booking) == ["created", "cancelled"]
            facts = last_line_of(booking)
            assert (facts["reason"], facts["by"]) == ("not_promoted", "system")
            assert messages_about(booking) == ["booking_waitlisted", "booking_cancelled"]
            assert last_message_about(booking)["reason"] == "not_promoted"
        assert_told_of_every_change(event.pk)

    def test_does_nothing_before_booking_closes(self, event, waiting):
        just_before = event.event_date - timedelta(microseconds=1)
        assert services.close_waitlist(event_id=event.pk, now=just_before) == 0
        assert len(line_of(event.pk)) == 3

    def test_goes_by_the_moment_that_was_set_for_the_end_of_booking(self, event, waiting, now):
        Event.objects.filter(pk=event.pk).update(booking_closes_at=now + timedelta(hours=1))
        assert services.close_waitlist(event_id=event.pk, now=now + timedelta(hours=1)) == 3

    def test_a_second_time_finds_nobody(self, event, waiting):
        services.close_waitlist(event_id=event.pk, now=event.event_date)
        assert services.close_waitlist(event_id=event.pk, now=event.event_date) == 0
        assert deeds_of(waiting[0]) == ["created", "cancelled"]

    def test_promotes_nobody_any_more_even_if_seats_are_free(self, event, book, change_capacity, waiting):
        Event.objects.filter(pk=event.pk).update(booking_closes_at=event.published_at)
        change_capacity(event, 20)
        services.close_waitlist(event_id=event.pk, now=event.event_date)
        assert [seats_of(booking) for booking in waiting] == [[], [], []]

    def test_leaves_a_cancelled_event_to_its_own_job(self, event, waiting, cancel_event):
        cancel_event(event)
        assert services.close_waitlist(event_id=event.pk, now=event.event_date) == 0

    def test_does_a_page_a_transaction(self, event, waiting, monkeypatch):
        monkeypatch.setattr(module, "PAGE", 2)
        assert services.close_waitlist(event_id=event.pk, now=event.event_date) == 2
        assert len(line_of(event.pk)) == 1
        assert services.close_waitlist(event_id=event.pk, now=event.event_date) == 1


class TestCloseWaitlists:
    def test_closes_all_that_are_over_page_by_page_and_no_other(self, event, waiting, book, monkeypatch):
        monkeypatch.setattr(module, "PAGE", 2)
        later = EventFactory(total_slots=1, event_date=event.event_date + timedelta(days=1))
        book(later, 1)
        still_waits = book(later, 1, or_wait=True)
        assert services.close_waitlists(now=event.event_date) == 3
        assert Booking.objects.get(pk=still_waits.pk).is_waiting
        assert services.close_waitlists(now=event.event_date) == 0

    def test_closes_those_of_events_that_are_completed_already(self, event, waiting):
        Event.objects.filter(pk=event.pk).update(status="completed")
        assert services.close_waitlists(now=event.event_date + timedelta(days=1)) == 3
