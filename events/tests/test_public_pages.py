"""Copies of pages for strangers: quick, and never older than they may be."""

from copy import copy

import pytest
from django.db import transaction
from django.test import Client, RequestFactory
from django.urls import reverse

from events import public_pages
from events.models import Event
from events.public_pages import PublicPages
from orgs.redis_side import RedisSide
from tests.factories import EventFactory, UserFactory
from tests.racing import at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def kept(settings, monkeypatch):
    settings.PUBLIC_PAGES_KEPT = 60
    monkeypatch.setattr(public_pages, "FRESH", 60.0)


@pytest.fixture
def event():
    return EventFactory(title="Low Tide")


def rename(event, title) -> None:
    """Past everything that would say so."""
    Event.objects.filter(pk=event.pk).update(title=title)


def page(event, client=None, **more) -> str:
    return (client or Client()).get(reverse("event_detail", args=[event.pk]), **more).content.decode()


def of_the_page(response) -> dict:
    """The headers, without the one that names the request."""
    return {name: value for name, value in response.items() if name != "X-Request-ID"}


class TestPublicPages:
    def test_cost_strangers_no_query(self, event, client, django_assert_num_queries):
        page(event, client)
        with django_assert_num_queries(0):
            assert "Low Tide" in page(event, client)

    def test_are_shared_between_processes(self, event, django_assert_num_queries):
        page(event)
        with django_assert_num_queries(0):
            page(event)  # by a client, and so a middleware, of its own

    def test_say_the_same_as_a_page_made_anew(self, event, client):
        made, kept = (client.get(reverse("event_detail", args=[event.pk])) for _ in range(2))
        assert made.content == kept.content
        assert of_the_page(made) == of_the_page(kept)
        assert "Content-Security-Policy" in kept

    def test_are_made_anew_when_the_event_changes(self, event, monkeypatch):
        page(event)
        event.title = "High Tide"
        with transaction.atomic():
            event.save()
        assert "High Tide" in page(event)

    def test_are_not_kept_where_a_change_overtook_their_making(self, event, monkeypatch):
        store = public_pages._store

        def overtaken(*arguments, **named):
            public_pages.forget(event.pk)
            store(*arguments, **named)

        monkeypatch.setattr(public_pages, "_store", overtaken)
        page(event)
        rename(event, "High Tide")
        assert "High Tide" in page(event)

    def test_are_renewed_after_a_moment(self, event, client, monkeypatch, settings):
        settings.PUBLIC_PAGES_KEPT = 1
        monkeypatch.setattr(public_pages, "FRESH", 0.0)
        page(event, client)
        rename(event, "High Tide")
        public_pages.forget(event.pk)
        assert "High Tide" in page(event, client)

    def test_are_not_for_people_who_are_signed_in(self, event, client):
        page(event)
        rename(event, "High Tide")
        client.force_login(UserFactory(), backend="allauth.account.auth_backends.AuthenticationBackend")
        assert "High Tide" in page(event, client)

    def test_do_not_mix_up_hosts(self, event):
        page(event, headers={"host": "localhost"})
        rename(event, "High Tide")
        assert "High Tide" in page(event, headers={"host": "127.0.0.1"})

    @pytest.mark.parametrize("address", ["?utm_source=letter&utm_medium=mail", "?fbclid=x", "?section=2"])
    def test_do_not_mind_where_somebody_comes_from(self, event, django_assert_num_queries, address):
        page(event)
        with django_assert_num_queries(0):
            Client().get(reverse("event_detail", args=[event.pk]) + address)

    def test_do_not_mind_the_cookies_of_others(self, event, client, django_assert_num_queries):
        page(event)
        client.cookies["_ga"] = "GA1.1.1"
        with django_assert_num_queries(0):
            page(event, client)

    def test_are_not_for_whom_there_is_a_message(self, event, client):
        page(event)
        rename(event, "High Tide")
        client.cookies["messages"] = "whatever"
        assert "High Tide" in page(event, client)

    def test_keep_no_page_that_is_not_there(self, client):
        draft = EventFactory(published_at=None, title="Low Tide")
        assert client.get(reverse("event_detail", args=[draft.pk])).status_code == 404
        Event.objects.filter(pk=draft.pk).update(published_at=draft.created_at)
        assert "Low Tide" in page(draft, client)

    def test_are_made_once_for_all_who_come_at_once(self, event, client, monkeypatch):
        page(event, client)  # so that the middleware is there
        public_pages.forget(event.pk)
        middleware = PublicPages(client.handler._middleware_chain)
        made, make = [], middleware._get_response

        def counted(request):
            made.append(request)
            return make(request)

        monkeypatch.setattr(middleware, "_get_response", counted)
        request = RequestFactory().get(reverse("event_detail", args=[event.pk]))
        answers = at_once(*[lambda: middleware(copy(request))] * 8)
        assert len(made) == 1
        assert all("Low Tide" in answer.content.decode() for answer in answers)

    def test_are_there_without_redis(self, event, client, monkeypatch, django_assert_num_queries):
        side = RedisSide("cache")
        side.client = side.client.__class__.from_url("redis://127.0.0.1:1", socket_connect_timeout=0.1)
        monkeypatch.setattr(public_pages, "PAGES", side)
        page(event, client)
        with django_assert_num_queries(0):
            assert "Low Tide" in page(event, client)


class TestList:
    def test_does_not_answer_for_other_questions(self, event):
        Client().get("/")
        rename(event, "High Tide")
        assert "High Tide" in Client().get("/", {"category": event.category}).content.decode()

    def test_is_kept_and_made_anew_when_an_event_changes(self, event, django_assert_num_queries):
        Client().get("/")
        with django_assert_num_queries(0):
            assert "Low Tide" in Client().get("/").content.decode()
        event.title = "High Tide"
        event.save()
        assert "High Tide" in Client().get("/").content.decode()
