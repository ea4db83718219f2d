"""Alive and ready."""

import pytest
from django.db import OperationalError, connection
from django.shortcuts import render
from django.test import RequestFactory, override_settings
from redis import RedisError

from happening import health


class TestHealthz:
    def test_asks_nobody(self, client):
        response = client.get("/healthz")  # no database mark: a query would fail the test
        assert (response.status_code, response.content) == (200, b"alive\n")


@pytest.mark.django_db
class TestReadyz:
    def test_is_ready_when_the_services_answer(self, client):
        response = client.get("/readyz")
        assert response.status_code == 200
        assert response.json() == {"ready": True, "database": "ok", "redis": "ok"}

    def test_is_not_ready_without_the_database(self, client, monkeypatch):
        def away():
            raise OperationalError

        monkeypatch.setattr(connection, "cursor", away)
        response = client.get("/readyz")
        assert response.status_code == 503
        assert response.json()["database"] == "away"

    def test_stays_ready_without_redis(self, client, monkeypatch):
        class NoRedis:
            class client:  # noqa: N801 - the shape of a django-redis cache
                @staticmethod
                def get_client():
                    raise RedisError

        monkeypatch.setattr(health, "caches", {"default": NoRedis})
        response = client.get("/readyz")
        assert response.status_code == 200
        assert response.json() == {"ready": True, "database": "ok", "redis": "away"}


class TestEveryErrorPage:
    @pytest.mark.parametrize("page", ["400", "403", "404", "500", "503", "page_expired"])
    def test_shows_while_nothing_else_works(self, page):
        """Without the database mark any query fails the test; there is no session and no person either."""
        response = render(RequestFactory().get("/somewhere/"), f"{page}.html")
        assert b"<h1>" in response.content
        assert b"Happening" in response.content


@pytest.mark.django_db
class TestErrorPages:
    def test_an_unknown_address_asks_no_database(self, client, django_assert_num_queries):
        with django_assert_num_queries(0):
            response = client.get("/nothing/here/")
        assert response.status_code == 404
        assert b"There is nothing here" in response.content

    @override_settings(ALLOWED_HOSTS=["localhost"])
    @pytest.mark.parametrize("host", ["evil.example", "no host", "localhost@evil.example"])
    def test_an_unknown_host_is_refused_without_a_word(self, client, host):
        response = client.get("/events/", headers={"host": host})
        assert (response.status_code, response.content) == (421, b"")

    def test_a_fault_of_ours_is_a_page_without_a_trace(self, client, monkeypatch):
        client.raise_request_exception = False
        monkeypatch.setattr("events.views.by_day", lambda page: 1 / 0)
        response = client.get("/events/")
        assert response.status_code == 500
        assert b"Something broke on our side" in response.content
        assert b"ZeroDivisionError" not in response.content

    def test_a_database_that_is_away_is_a_page_that_says_try_again(self, client, monkeypatch):
        def away(page):
            raise OperationalError("server closed the connection unexpectedly")

        client.raise_request_exception = False
        monkeypatch.setattr("events.views.by_day", away)
        response = client.get("/events/")
        assert response.status_code == 503
        assert response["Retry-After"]
        assert b"Try again" in response.content

    def test_a_password_is_never_kept_in_a_page(self, client, monkeypatch):
        def away(*args, **kwargs):
            raise OperationalError

        client.raise_request_exception = False
        monkeypatch.setattr("django.contrib.auth.authenticate", away)
        monkeypatch.setattr("allauth.account.forms.LoginForm.clean", away)
        response = client.post("/accounts/login/", {"login": "a@b.test", "password": "very-secret-indeed"})
        assert response.status_code == 503
        assert b"very-secret-indeed" not in response.content
