"""The page of a sold-out event is kept for strangers while somebody vouches for it, and is true."""

from datetime import timedelta
from itertools import count

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from bookings import services, standing_pages
from bookings.models import Booking
from bookings.tasks import reconcile_slots
from events import public_pages
from events.models import Event
from tests.factories import EventFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def aged(settings, monkeypatch):
    """Copies that nobody vouches for are old at once, and no process keeps one of its own."""
    settings.PUBLIC_PAGES_KEPT = 1
    monkeypatch.setattr(public_pages, "FRESH", 0.0)
    clock = count(timezone.now().timestamp(), step=2)
    monkeypatch.setattr(public_pages, "time", lambda: next(clock))


@pytest.fixture(params=[False, True], ids=["no waitlist", "waitlist"])
def sold_out(request, book):
    event = EventFactory(title="Low Tide", total_slots=5, waitlist=request.param)
    book(event, 5)
    return event


def queries_of_a_stranger(event) -> list[str]:
    with CaptureQueriesContext(connection) as queries:
        page = Client().get(reverse("event_detail", args=[event.pk]))
    assert page.status_code == 200
    return [query["sql"] for query in queries]


class TestStandingPages:
    def test_cost_strangers_no_query_while_somebody_vouches_for_them(self, sold_out):
        assert queries_of_a_stranger(sold_out)
        reconcile_slots()
        for _ in range(3):
            assert queries_of_a_stranger(sold_out) == []

    def test_age_like_others_without_a_word_for_them(self, sold_out):
        queries_of_a_stranger(sold_out)
        assert queries_of_a_stranger(sold_out)

    def test_are_not_of_events_with_seats(self, book):
        event = EventFactory(total_slots=5)
        book(event, 4)
        queries_of_a_stranger(event)
        assert standing_pages.vouch(now=timezone.now()) == 0
        assert queries_of_a_stranger(event)

    def test_are_made_anew_at_once_when_a_seat_comes_free(self, sold_out):
        queries_of_a_stranger(sold_out)
        reconcile_slots()
        booking = Booking.objects.get(event=sold_out)
        services.cancel(booking_id=booking.pk, actor_id=booking.user_id, now=timezone.now())
        page = Client().get(reverse("event_detail", args=[sold_out.pk])).content.decode()
        assert "5 of 5" in page or "5 seats" in page

    @pytest.mark.parametrize("change", [{"title": "High Tide"}, {"place": "Elsewhere"}, {"total_slots": 6}])
    def test_are_vouched_for_no_more_when_nobody_said_that_something_changed(self, sold_out, change):
        """As where whoever changed it was killed before it could say so."""
        queries_of_a_stranger(sold_out)
        standing_pages.vouch(now=timezone.now())
        Event.objects.filter(pk=sold_out.pk).update(**change)
        assert queries_of_a_stranger(sold_out) == []  # nobody knows yet
        standing_pages.vouch(now=timezone.now())
        assert queries_of_a_stranger(sold_out)

    def test_are_vouched_for_no_more_when_the_organization_is_called_otherwise(self, sold_out):
        queries_of_a_stranger(sold_out)
        standing_pages.vouch(now=timezone.now())
        sold_out.org.name = "Other"
        sold_out.org.save()
        standing_pages.vouch(now=timezone.now())
        assert queries_of_a_stranger(sold_out)

    def test_are_vouched_for_anew_when_somebody_joined_the_line(self, book):
        event = EventFactory(total_slots=5, waitlist=True)
        book(event, 5)
        queries_of_a_stranger(event)
        standing_pages.vouch(now=timezone.now())
        book(event, 1, or_wait=True)
        standing_pages.vouch(now=timezone.now())
        assert queries_of_a_stranger(event)
        assert queries_of_a_stranger(event) == []  # the new one

    def test_are_asked_about_no_longer_than_they_stand(self, sold_out):
        queries_of_a_stranger(sold_out)
        assert standing_pages.vouch(now=timezone.now()) == 1
        assert standing_pages.vouch(now=sold_out.closes_at + timedelta(seconds=1)) == 0
        assert public_pages.standing().isdisjoint({sold_out.pk})

    def test_of_another_release_are_not_handed_out(self, sold_out, monkeypatch):
        queries_of_a_stranger(sold_out)
        reconcile_slots()
        monkeypatch.setattr(public_pages, "release", lambda: "another")
        assert queries_of_a_stranger(sold_out)
