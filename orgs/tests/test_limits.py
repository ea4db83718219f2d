import time

import pytest
from django.core.cache import caches
from django.core.cache.backends.locmem import LocMemCache
from django.urls import reverse

from orgs import breaker
from orgs import caches as ours
from orgs.breaker import Breaker
from orgs.tests.test_second_factor import code_of, set_up
from tests.factories import UserFactory
from tests.own_redis import OwnRedis

pytestmark = pytest.mark.django_db

PASSWORD = "correct-horse-battery"


@pytest.fixture
def ada():
    person = UserFactory(email="ada@example.org", verified=True)
    person.set_password(PASSWORD)
    person.save()
    return person


@pytest.fixture
def own_redis(tmp_path, settings, monkeypatch):
    """A Redis of this test behind the site's cache."""
    server = OwnRedis(tmp_path)
    server.start()
    monkeypatch.setattr(ours, "_breaker", Breaker("limits"))
    monkeypatch.setattr(breaker, "REST", 0.05)
    cache = settings.CACHES["default"]
    patience = {"SOCKET_TIMEOUT": 0.5, "SOCKET_CONNECT_TIMEOUT": 0.5}
    settings.CACHES = {
        "default": {**cache, "LOCATION": f"{server.url}/0", "OPTIONS": {**cache["OPTIONS"], **patience}}
    }
    LocMemCache("counts", {}).clear()
    settings.ACCOUNT_RATE_LIMITS = {}
    yield server
    caches["default"].clear()
    server.stop()


def sign_in(client, password=PASSWORD, **how):
    facts = {"login": "ada@example.org", "password": password}
    return client.post(reverse("account_login"), facts, **how)


class TestFailedSignIns:
    def test_are_few_for_one_account(self, client, ada, own_redis):
        for _ in range(5):
            sign_in(client, "wrong")
        answer = sign_in(client)
        assert answer.status_code == 422
        assert b"Too many failed" in answer.content

    def test_are_few_for_one_account_also_without_redis(self, client, ada, own_redis):
        own_redis.stop()
        for _ in range(5):
            sign_in(client, "wrong")
        assert sign_in(client).status_code == 422

    @pytest.mark.parametrize("trouble", ["stop", "pause"])
    def test_keep_nobody_out_because_redis_is_away(self, client, ada, own_redis, trouble):
        getattr(own_redis, trouble)()
        assert sign_in(client).status_code == 302
        if trouble == "pause":
            own_redis.resume()

    def test_keep_nobody_out_who_has_a_second_step(self, client, ada, own_redis):
        secret = set_up(client)
        client.logout()
        own_redis.stop()
        sign_in(client)
        number = code_of(secret)
        assert client.post(reverse("mfa_authenticate"), {"code": number}).status_code == 302
        client.logout()
        sign_in(client)
        assert client.post(reverse("mfa_authenticate"), {"code": number}).status_code == 422

    def test_are_counted_in_redis_again_when_it_is_back(self, client, ada, own_redis):
        own_redis.stop()
        sign_in(client, "wrong")
        own_redis.start()
        time.sleep(0.06)  # the breaker's rest
        sign_in(client, "wrong")
        assert own_redis.client.keys("*login_failed*")

    def test_look_the_same_for_an_address_that_nobody_has(self, client, ada, own_redis):
        known = sign_in(client, "wrong").content
        facts = {"login": "nobody@example.org", "password": "wrong"}
        unknown = client.post(reverse("account_login"), facts).content
        strip = [known.decode().split("<main")[1], unknown.decode().split("<main")[1]]
        said = [text.replace("nobody@example.org", "ada@example.org") for text in strip]
        assert said[0].count("not correct") == said[1].count("not correct") == 1


class TestTooManyRequests:
    def test_get_a_page_that_says_when_to_come_back(self, client, ada, own_redis):
        for _ in range(30):
            answer = client.post(reverse("account_login"), {})
        answer = client.post(reverse("account_login"), {})
        assert answer.status_code == 429
        assert answer["Retry-After"] == "60"
        assert b"A little slower" in answer.content

    def test_are_counted_by_the_visitors_address_behind_a_proxy(self, client, ada, own_redis, settings):
        settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
        for _ in range(31):
            client.post(reverse("account_login"), {}, headers={"x-forwarded-for": "198.51.100.1"})
        forged = {"x-forwarded-for": "203.0.113.9, 198.51.100.1"}
        assert client.post(reverse("account_login"), {}, headers=forged).status_code == 429
        other = {"x-forwarded-for": "198.51.100.1, 203.0.113.9"}
        assert client.post(reverse("account_login"), {}, headers=other).status_code == 422


class TestPartsOfAPage:
    @pytest.mark.parametrize(
        "headers",
        [
            {"hx-request": "true"},
            {"accept": "text/event-stream"},
            {"sec-fetch-dest": "empty", "sec-fetch-mode": "cors"},
        ],
    )
    def test_that_need_somebody_are_refused_not_replaced(self, client, headers):
        answer = client.get(reverse("booking_list"), headers=headers)
        assert answer.status_code == 401
        assert "Location" not in answer

    def test_lead_the_whole_page_to_the_sign_in(self, client):
        headers = {"hx-request": "true", "hx-current-url": "http://testserver/events/?q=jazz"}
        answer = client.get(reverse("booking_list"), headers=headers)
        assert answer["HX-Redirect"] == f"{reverse('account_login')}?next=%2Fevents%2F"

    def test_do_not_concern_whole_pages(self, client):
        assert client.get(reverse("booking_list")).status_code == 302
