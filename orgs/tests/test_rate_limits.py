"""Limits: over all processes while Redis answers, and for each process by itself while it does not."""

from uuid import uuid4

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from orgs import rate_limits
from orgs.client_address import address_of
from orgs.rate_limits import limited
from orgs.redis_side import RedisSide


@limited("trial")
def view(request):
    return HttpResponse("done")


@limited("trial", methods=("GET",))
def reading(request):
    return HttpResponse("done")


@pytest.fixture
def ask(settings):
    """A request of a person from an address; both are nobody else's."""
    settings.RATE_LIMITS = {"trial": {"person": (3, 60), "address": (5, 60)}}
    somebody, address = uuid4(), f"10.{uuid4().bytes[0]}.{uuid4().bytes[0]}.{uuid4().bytes[0]}"

    def asking(view=view, *, person=somebody, method="post", **form):
        request = getattr(RequestFactory(REMOTE_ADDR=address), method)("/", form)
        request.session = {"_auth_user_id": str(person)} if person else {}
        return view(request)

    return asking


@pytest.fixture
def redis_away(monkeypatch):
    side = RedisSide("cache")
    side.client = side.client.__class__.from_url("redis://127.0.0.1:1", socket_connect_timeout=0.1)
    monkeypatch.setattr(rate_limits, "LIMITS", side)
    monkeypatch.setattr(rate_limits, "_OWN", rate_limits._OwnCount())


class TestLimit:
    def test_lets_a_person_ask_so_often_and_then_says_when_to_come_again(self, ask):
        assert [ask().status_code for _ in range(4)] == [200, 200, 200, 429]
        refused = ask()
        assert 1 <= int(refused["Retry-After"]) <= 20

    def test_keeps_the_form(self, ask):
        for _ in range(3):
            ask()
        assert b'name="seats" value="2"' in ask(seats="2").content

    def test_counts_an_address_over_all_who_ask_from_it(self, ask):
        assert [ask(person=uuid4()).status_code for _ in range(6)] == [200] * 5 + [429]

    def test_may_be_so_high_that_a_request_costs_next_to_nothing(self, ask, settings):
        settings.RATE_LIMITS = {"trial": {"person": (1_000_000_000, 60)}}
        failures = rate_limits.LIMITS.breaker.failures
        assert ask().status_code == 200
        assert rate_limits.LIMITS.breaker.failures == failures

    def test_does_not_count_what_it_refused(self, ask):
        for _ in range(10):
            ask()
        assert ask(person=uuid4()).status_code == 200

    def test_does_not_count_other_methods(self, ask):
        assert [ask(method="get").status_code for _ in range(9)] == [200] * 9

    def test_counts_by_itself_while_redis_is_away(self, ask, redis_away):
        assert [ask().status_code for _ in range(4)] == [200, 200, 200, 429]

    def test_does_not_limit_reading_while_redis_is_away(self, ask, redis_away):
        assert [ask(reading, method="get").status_code for _ in range(9)] == [200] * 9

    def test_remembers_no_more_than_so_many_by_itself(self, monkeypatch):
        monkeypatch.setattr(rate_limits, "REMEMBERED", 3)
        own = rate_limits._OwnCount()
        for number in range(10):
            assert own.wait({f"key-{number}": (1_000, 60_000)}) == 0
        assert len(own._until) == 3


class TestAddress:
    def request(self, **meta):
        return RequestFactory(**meta).get("/")

    def test_is_that_of_the_connection_where_no_proxy_is_ours(self, settings):
        settings.ALLAUTH_TRUSTED_PROXY_COUNT = 0
        assert address_of(self.request(REMOTE_ADDR="1.2.3.4", HTTP_X_FORWARDED_FOR="9.9.9.9")) == "1.2.3.4"

    def test_is_what_our_outermost_proxy_saw_whatever_the_client_writes(self, settings):
        settings.ALLAUTH_TRUSTED_PROXY_COUNT = 2
        forwarded = "6.6.6.6, 5.5.5.5, 10.0.0.1"
        assert address_of(self.request(HTTP_X_FORWARDED_FOR=forwarded)) == "5.5.5.5"

    def test_is_the_network_of_an_ipv6_address(self, settings):
        settings.ALLAUTH_TRUSTED_PROXY_COUNT = 0
        assert address_of(self.request(REMOTE_ADDR="2001:db8:1:2:3:4:5:6")) == "2001:db8:1:2::"

    @pytest.mark.parametrize("written", ["", "unix:", "999.1.1.1"])
    def test_is_unknown_where_there_is_none(self, written):
        assert address_of(self.request(REMOTE_ADDR=written)) == "unknown"
