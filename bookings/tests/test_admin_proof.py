"""The proof page: every number counted its own way, for platform staff alone, with Redis or without."""

import html
import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.urls import reverse

from bookings import seat_counter
from bookings.models import FreeRun
from bookings.reconcile import reconcile
from orgs.redis_side import RedisSide
from tests.factories import EventFactory, UserFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def look(client):
    client.force_login(
        UserFactory(platform_staff=True), backend="allauth.account.auth_backends.AuthenticationBackend"
    )

    def looking(**query) -> str:
        page = client.get(reverse("admin:seats_proof"), query).content.decode()
        return " ".join(re.sub(r"<[^>]+>", " ", page).split())

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

    def test_shows_what_is_off_first_and_then_what_happened_lately(self, book, look, now):
        off, *others = [EventFactory(title=f"Evening {word}") for word in ("one", "two", "three")]
        for seconds, event in enumerate((off, *others)):
            book(event, 7, now=now + timedelta(seconds=seconds))
        FreeRun.objects.filter(event=off).update(first_seat=1, last_seat=3)
        page = look()
        assert f"{off.title} 10 7 3 3 not all free 3 0 – No" in page
        places = [page.index(event.title) for event in (off, *reversed(others))]
        assert places == sorted(places)

    def test_shows_what_was_off_lately_before_it_is_asked_for(self, event, book, look, check):
        book(event, 7)
        seat_counter.SEATS.client.set(f"event:{event.pk}:slots", 9)
        check(event)
        other = EventFactory()
        book(other, 1)
        page = look()
        assert page.index(event.title) < page.index(other.title)

    def test_says_of_each_event_when_it_was_compared(self, event, book, look, now, later):
        other = EventFactory()
        book(event, 7)
        book(other, 7)
        reconcile(now=now - timedelta(minutes=5), second_look=0)
        reconcile(now=now, event_ids=[event.pk], second_look=0)
        page = look()
        assert re.search(rf"{event.title} [\d –]+ Yes (now|(a|\d+) seconds? ago)", page)
        assert re.search(rf"{other.title} [\d –]+ Yes 5 minutes ago", page)
        assert "All busy events were last compared 5 minutes ago" in page

    def test_finds_an_event_by_its_id_or_by_words_of_its_title(self, event, look):
        wanted = EventFactory(title="Long night of the museums")
        for words in (str(wanted.pk), "museum NIGHT"):
            page = look(event=words)
            assert wanted.title in page
            assert event.title not in page
        assert "No event has “museum dinner”" in look(event="museum dinner")
        assert "No event has" in look(event=str(uuid4()))

    def test_refreshes_itself_until_a_link_stops_it(self, event, book, look, client):
        book(event, 7)
        address = reverse("admin:seats_proof")
        live = client.get(address, {"event": str(event.pk)})
        assert live["Refresh"] == "10"
        [stop] = re.findall(r'href="(\?[^"]*still=1)"', live.content.decode())
        still = client.get(address + html.unescape(stop))
        assert "Refresh" not in still.headers
        assert event.title in still.content.decode()
        assert f'href="?event={event.pk}"' in still.content.decode()
