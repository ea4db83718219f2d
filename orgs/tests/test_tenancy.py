import pytest
from django.core.cache import cache
from django.test import RequestFactory, override_settings
from django.urls import reverse

from orgs import hosts, tenancy
from orgs.host_cache import HostCache, known_hosts
from orgs.hosts import organization_at
from orgs.models import Organization
from orgs.safe_next import is_safe, safe_next
from tests.factories import OrganizationFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def own(acme):
    """Acme with a domain of its own."""
    acme.domain = "events.acme.example"
    acme.save()
    return acme


@pytest.fixture
def lost_by_the_process():
    """As another process would see it: what this one remembers of hosts is gone."""
    return known_hosts.known_here.clear


class TestAHost:
    @pytest.mark.parametrize(
        "host",
        ["events.acme.example", "acme.localhost", "ACME.localhost", "acme.localhost:8000", "acme.localhost."],
    )
    def test_names_its_organization(self, client, own, host):
        answer = client.get("/events/", headers={"host": host})
        assert answer.status_code == 200
        assert answer.wsgi_request.organization == own

    @pytest.mark.parametrize("host", ["testserver", "localhost", "127.0.0.1:8000"])
    def test_may_be_the_platforms(self, client, own, host):
        answer = client.get("/events/", headers={"host": host})
        assert answer.status_code == 200
        assert answer.wsgi_request.organization is None

    @pytest.mark.parametrize(
        "host",
        [
            "evil.example",
            "globex.localhost",
            "acme.localhost.evil.example",
            "www.acme.localhost",
            "acme.example",
            "events.acme.example.",
            "",
            "a b",
            "[::1]",
            "acme.localhost@evil.example",
            "%61cme.localhost",
        ],
    )
    @pytest.mark.parametrize("path", ["/", "/events/", "/admin/", "/accounts/login/", "/static/css/site.css"])
    def test_that_nobody_has_is_refused_without_content(self, client, acme, host, path):
        answer = client.get(path, headers={"host": host})
        assert (answer.status_code, answer.content) == (421, b"")

    def test_of_a_closed_organization_is_nobodys(self, client, acme):
        Organization.objects.update(status="closed")
        assert client.get("/events/", headers={"host": "acme.localhost"}).status_code == 421

    def test_is_where_links_and_redirects_stay(self, client, own):
        answer = client.get("/account/", headers={"host": "events.acme.example"})
        assert answer.wsgi_request.build_absolute_uri("/") == "http://events.acme.example/"
        assert answer.url.startswith("/accounts/login/")

    def test_is_where_one_can_sign_in(self, client, own):
        person = UserFactory(verified=True)
        person.set_password("correct-horse-battery")
        person.save()
        facts = {"login": person.email, "password": "correct-horse-battery"}
        host = {"host": "events.acme.example"}
        assert client.post(reverse("account_login"), facts, headers=host).status_code == 302
        assert client.get("/account/", headers=host).status_code == 200

    def test_takes_forms_from_its_own_pages_alone(self, own):
        from django.test import Client

        client = Client(enforce_csrf_checks=True)
        host = {"host": "events.acme.example"}
        client.get("/accounts/login/", headers=host)
        token = client.cookies["csrftoken"].value
        facts = {"login": "a@b.example", "password": "x", "csrfmiddlewaretoken": token}
        for origin, status in [("http://events.acme.example", 422), ("http://evil.example", 403)]:
            answer = client.post("/accounts/login/", facts, headers={**host, "origin": origin})
            assert answer.status_code == status


class TestOrganizationAt:
    def test_asks_the_database_once_for_many_requests(
        self, own, django_assert_num_queries, lost_by_the_process
    ):
        organization_at("events.acme.example")
        with django_assert_num_queries(0):
            for _ in range(3):
                assert organization_at("events.acme.example") == own
            lost_by_the_process()  # another process finds it in Redis
            assert organization_at("events.acme.example").name == "Acme"

    def test_remembers_that_a_host_is_nobodys(self, django_assert_num_queries):
        organization_at("evil.example")
        with django_assert_num_queries(0):
            assert organization_at("evil.example") is None

    def test_asks_the_database_a_few_times_a_minute_with_redis_away(
        self, own, settings, django_assert_num_queries
    ):
        away = {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}
        with override_settings(CACHES={**settings.CACHES, "default": away}), django_assert_num_queries(1):
            for _ in range(3):
                assert organization_at("events.acme.example") == own

    def test_sees_a_change_as_soon_as_it_is_saved(self, own, django_capture_on_commit_callbacks):
        organization_at("events.acme.example"), organization_at("new.acme.example")
        with django_capture_on_commit_callbacks(execute=True):
            own.domain = "new.acme.example"
            own.save()
        assert organization_at("events.acme.example") is None
        assert organization_at("new.acme.example") == own

    def test_believes_nobody_who_read_it_before_it_changed(
        self, own, django_capture_on_commit_callbacks, lost_by_the_process, monkeypatch
    ):
        ask = hosts._ask

        def ask_and_be_overtaken(host):
            facts = ask(host)
            with django_capture_on_commit_callbacks(execute=True):
                own.name = "Acme & Sons"
                own.save()
            return facts

        monkeypatch.setattr(hosts, "_ask", ask_and_be_overtaken)
        assert organization_at("events.acme.example").name == "Acme"
        monkeypatch.undo()
        lost_by_the_process()  # another process, or this one three seconds later
        assert organization_at("events.acme.example").name == "Acme & Sons"

    def test_prefers_the_domain_to_a_short_name(self, acme):
        other = OrganizationFactory(domain="acme.localhost")
        assert organization_at("acme.localhost") == other

    def test_knows_for_a_while_only(self, monkeypatch):
        clock = iter([0.0, 1.0, 100.0])
        monkeypatch.setattr("orgs.host_cache.monotonic", lambda: next(clock))
        known = HostCache()
        known.keep("acme.example", {})
        cache.delete("host:acme.example")
        assert known.get("acme.example") == {}
        assert known.get("acme.example") is None

    def test_gives_nobody_all_of_its_memory(self):
        for number in range(2500):
            known_hosts._keep_here(f"{number}.example", {})
        assert len(known_hosts.known_here) <= 1000


class TestAllowedHosts:
    @pytest.mark.parametrize("wildcard", ["*", ".example.org"])
    def test_are_written_out(self, wildcard):
        with override_settings(ALLOWED_HOSTS=["example.org", wildcard]):
            [error] = tenancy.hosts_are_exact(None)
        assert error.id == "orgs.E001"
        assert not tenancy.hosts_are_exact(None)


class TestSafeNext:
    @pytest.mark.parametrize("url", ["/", "/bookings/", "/events/?q=a%20b#top"])
    def test_leads_to_a_page_of_this_host(self, url):
        assert safe_next(RequestFactory().get("/", {"next": url}), otherwise="/else/") == url

    @pytest.mark.parametrize(
        "url",
        [
            None,
            "",
            "https://evil.example/",
            "http:evil.example",
            "//evil.example/",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "\n//evil.example",
            "javascript:alert(1)",
            "https://localhost/",
            "events/",
            " /events/",
            "/events/\r\nSet-Cookie: a=b",
        ],
    )
    def test_leads_nowhere_else(self, url):
        assert not is_safe(url)
        request = RequestFactory().post("/", {"next": url or ""})
        assert safe_next(request, otherwise="/else/") == "/else/"

    def test_is_what_signing_in_uses(self, client, own):
        person = UserFactory(verified=True)
        person.set_password("correct-horse-battery")
        person.save()
        facts = {"login": person.email, "password": "correct-horse-battery", "next": "http://localhost/x/"}
        assert client.post(reverse("account_login"), facts).url == reverse("event_list")
