"""The proof page: every number counted its own way, for platform staff alone, with Redis or without."""

import re

import pytest
from django.urls import reverse

from bookings import seat_counter
from bookings.models import FreeRun
from orgs.redis_side import RedisSide
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def look(client):
    client.force_login(
        UserFactory(platform_staff=True), backend="allauth.account.auth_backends.AuthenticationBackend"
    )

    def looking() -> str:
        return " ".join(
            re.sub(r"<[^>]+>", " ", client.get(reverse("admin:seats_proof")).content.decode()).split()
        )

    return looking


class TestTheProof:
    def test_shows_each_number_of_an_event_where_somebody_booked(self, event, book, look):
        book(event, 7)
        book(event, 5, or_wait=True)
        assert f"{event.title} 10 7 3 3 3 1 1 Yes" in look()

    def test_says_when_redis_is_behind(self, event, book, look):
        book(event, 7)
        seat_counter.SEATS.client.set(f"event:{event.pk}:slots", 9)
        assert "Yes; Redis is behind" in look()

    def test_says_when_the_numbers_of_postgresql_do_not_agree(self, event, book, look):
        book(event, 7)
        FreeRun.objects.filter(event=event).update(first_seat=9)
        assert f"{event.title} 10 7 3 2 3 0 – No" in look()

    def test_is_there_while_redis_is_away(self, event, book, look, monkeypatch):
        book(event, 7)
        side = RedisSide("seats")
        side.client = side.client.__class__.from_url("redis://127.0.0.1:1", socket_connect_timeout=0.1)
        monkeypatch.setattr(seat_counter, "SEATS", side)
        page = look()
        assert "Redis does not answer" in page
        assert f"{event.title} 10 7 3 3 – 0 – Yes" in page
