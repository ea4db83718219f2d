"""The whole of single sign-on, against a provider in a process of its own, over HTTP on both sides."""

import os
import re
import socket
import subprocess
import sys
import time
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.conf import settings as django_settings
from django.urls import reverse

from happening.demo.identity.people import NEWCOMER, ORGANIZERS, subject_of
from happening.demo.people import PASSWORD
from orgs.models import KeycloakGroup, Membership, User
from orgs.sso import provider
from tests.factories import OrganizationFactory, UserFactory

pytestmark = pytest.mark.django_db
SECONDS = 60


@pytest.fixture(scope="session")
def identity_provider(tmp_path_factory):
    """Started once: the URL of its realm."""
    pytest.importorskip("oauth2_provider")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        issuer = f"http://localhost:{free.getsockname()[1]}/realms/happening"
    facts = {
        "OIDC_ISSUER": issuer,
        "OIDC_CLIENT_ID": "happening",
        "OIDC_CLIENT_SECRET": "a secret of this run",
        "SITE_URL": "http://testserver",
        "HAPPENING_DATA": str(tmp_path_factory.mktemp("identity")),
    }
    command = [sys.executable, "-m", "happening.demo.identity.serve"]
    process = subprocess.Popen(command, cwd=django_settings.BASE_DIR, env={**os.environ, **facts})
    deadline = time.monotonic() + SECONDS
    while not _answers(issuer):
        assert process.poll() is None, "The provider ended."
        assert time.monotonic() < deadline, "The provider did not start."
        time.sleep(0.05)
    yield issuer
    process.terminate()
    process.wait(10)


def _answers(issuer: str) -> bool:
    try:
        return requests.get(f"{issuer}/.well-known/openid-configuration", timeout=5).ok
    except requests.ConnectionError:
        return False


@pytest.fixture
def realm(identity_provider, settings, monkeypatch):
    monkeypatch.setattr("orgs.sso.tokens.keys", provider.Keys())
    settings.SITE_URL = "http://testserver"
    settings.OIDC_ISSUER = identity_provider
    settings.OIDC_RP_CLIENT_ID = "happening"
    settings.OIDC_RP_CLIENT_SECRET = "a secret of this run"
    ways = {
        "AUTHORIZATION": "auth",
        "TOKEN": "token",
        "USER": "userinfo",
        "JWKS": "certs",
        "LOGOUT": "logout",
    }
    for name, way in ways.items():
        setattr(settings, f"OIDC_OP_{name}_ENDPOINT", f"{identity_provider}/protocol/openid-connect/{way}")
    return identity_provider


@pytest.fixture
def browser():
    """The browser's other tab: what it does at the provider."""
    return requests.Session()


def sign_in_there(browser, url, email, password=PASSWORD) -> str:
    """Go where the site sent us, sign in; returns where the provider sends us back to."""
    page = browser.get(url, timeout=10)
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)[1]
    form = {"csrfmiddlewaretoken": token, "username": email, "password": password}
    answer = browser.post(page.url, form, allow_redirects=False, timeout=10)
    while not answer.headers["Location"].startswith("http://testserver/"):
        answer = browser.get(
            requests.compat.urljoin(page.url, answer.headers["Location"]), allow_redirects=False
        )
    return answer.headers["Location"]


class TestTheCodeFlow:
    def test_makes_an_account_for_who_is_new(self, client, realm, browser):
        acme = OrganizationFactory()
        KeycloakGroup.objects.create(path=ORGANIZERS, organization=acme, role="organizer")
        back = sign_in_there(browser, client.get(reverse("oidc_begin")).url, NEWCOMER)
        assert client.get(back).url == reverse("event_list")
        nora = User.objects.get(email=NEWCOMER)
        assert (nora.name, nora.keycloak_id) == ("Nora Haugen", subject_of(NEWCOMER))
        membership = Membership.objects.get(user=nora)
        assert (membership.organization, membership.role, membership.source) == (
            acme,
            "organizer",
            "keycloak",
        )

    def test_finds_the_account_that_is_connected(self, client, realm, browser):
        ada = UserFactory(email="ada@acme.test", verified=True, keycloak_id=subject_of("ada@acme.test"))
        client.get(sign_in_there(browser, client.get(reverse("oidc_begin")).url, "ada@acme.test"))
        assert client.session["_auth_user_id"] == str(ada.pk)

    def test_never_takes_over_an_account_by_its_address(self, client, realm, browser):
        UserFactory(email="ada@acme.test", verified=True)
        back = sign_in_there(browser, client.get(reverse("oidc_begin")).url, "ada@acme.test")
        assert client.get(back).status_code == 409
        assert client.get(reverse("account")).status_code == 302

    def test_takes_a_code_once(self, client, realm, browser):
        back = sign_in_there(browser, client.get(reverse("oidc_begin")).url, NEWCOMER)
        client.get(back)
        client.logout()
        assert client.get(back).status_code == 400

    def test_takes_no_code_of_another_browser(self, client, realm, browser):
        """Neither with its state, which this one does not know, nor with its own, whose proof is another."""
        caught = sign_in_there(browser, client.get(reverse("oidc_begin")).url, NEWCOMER)
        other = type(client)()
        assert other.get(caught).status_code == 400
        own = parse_qs(urlsplit(other.get(reverse("oidc_begin")).url).query)["state"][0]
        code = parse_qs(urlsplit(caught).query)["code"][0]
        assert other.get(reverse("oidc_callback"), {"code": code, "state": own}).status_code == 403
        assert not User.objects.exists()

    def test_needs_a_challenge(self, client, realm, browser):
        begun = client.get(reverse("oidc_begin")).url
        bare = re.sub(r"&code_challenge(_method)?=[^&]+", "", begun)
        back = sign_in_there(browser, bare, NEWCOMER)
        assert parse_qs(urlsplit(back).query)["error"] == ["invalid_request"]
        assert client.get(back).status_code == 403

    def test_asks_again_who_is_there(self, client, realm, browser):
        client.get(sign_in_there(browser, client.get(reverse("oidc_begin")).url, NEWCOMER))
        begun = client.get(reverse("oidc_begin"), {"again": "1", "next": "/account/"})
        assert client.get(sign_in_there(browser, begun.url, NEWCOMER)).url == "/account/"

    def test_signs_out_at_both_ends(self, client, realm, browser):
        client.get(sign_in_there(browser, client.get(reverse("oidc_begin")).url, NEWCOMER))
        away = client.post(reverse("account_logout")).url
        answer = browser.get(away, allow_redirects=False, timeout=10)
        assert answer.headers["Location"] == "http://testserver/"
        asked = browser.get(client.get(reverse("oidc_begin")).url, timeout=10)
        assert "/login/" in asked.url

    def test_with_a_wrong_password_goes_nowhere(self, client, realm, browser):
        page = browser.get(client.get(reverse("oidc_begin")).url, timeout=10)
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)[1]
        form = {"csrfmiddlewaretoken": token, "username": NEWCOMER, "password": "wrong"}
        assert "do not go together" in browser.post(page.url, form, timeout=10).text
