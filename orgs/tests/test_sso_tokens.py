"""Everything that somebody might hand us instead of an ID token of ours."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.urls import reverse

from orgs.models import User
from orgs.sso import provider, tokens
from orgs.sso.errors import ProviderAway, SignInRefused

pytestmark = pytest.mark.django_db


@pytest.fixture
def come_back(client, forger):
    """Begin, and come back from the provider with `make(claims with the right nonce)` as the ID token."""

    def come_back(make=None, *, userinfo=None, query=None):
        begun = client.get(reverse("oidc_begin"))
        sent = {name: values[0] for name, values in parse_qs(urlsplit(begun.url).query).items()}
        claims = forger.claims(nonce=sent["nonce"])
        forger.id_token = make(claims) if make else forger.sign(claims)
        facts = {"sub": claims["sub"], "email": "ada@example.org", "email_verified": True, "name": "Ada"}
        forger.userinfo = {**facts, **(userinfo or {})}
        return client.get(reverse("oidc_callback"), query or {"code": "a-code", "state": sent["state"]})

    return come_back


def nobody_came_in(client, answer):
    assert answer.status_code in (400, 403, 503)
    assert b"That did not work" in answer.content
    assert not User.objects.exists()
    assert client.get(reverse("account")).status_code == 302


def changed(**changes):
    def make(forger):
        def with_changes(claims):
            return forger.sign({k: v for k, v in {**claims, **changes}.items() if v is not None})

        return with_changes

    return make


NOW = int(time.time())
FORGED = {
    "another issuer": changed(iss="https://evil.example/realms/happening"),
    "no issuer": changed(iss=None),
    "another audience": changed(aud="another-client"),
    "no audience": changed(aud=None),
    "several audiences, no authorized party": changed(aud=["happening", "other"], azp=None),
    "another authorized party": changed(azp="another-client"),
    "another nonce": changed(nonce="of-another-sign-in"),
    "no nonce": changed(nonce=None),
    "an empty nonce": changed(nonce=""),
    "no end": changed(exp=None),
    "an end that is past": changed(exp=NOW - 31, iat=NOW - 400),
    "a beginning that is to come": changed(nbf=NOW + 3600),
    "issued in the future": changed(iat=NOW + 3600),
    "no time of issue": changed(iat=None),
    "no subject": changed(sub=None),
    "a subject that is no text": changed(sub=["ada"]),
    "an access token's type": changed(typ="Bearer"),
    "a logout token's type": changed(typ="Logout"),
    "no signature": lambda forger: forger.unsigned,
    "the public key as a secret": lambda forger: forger.signed_with_the_public_key,
    "the client's secret as a key": lambda forger: (
        lambda claims: forger.sign(claims, key="a secret that is long enough for HS256", algorithm="HS256")
    ),
    "somebody else's key": lambda forger: (
        lambda claims: forger.sign(claims, key=rsa.generate_private_key(public_exponent=65537, key_size=2048))
    ),
    "an unknown key": lambda forger: lambda claims: forger.sign(claims, kid="never-seen"),
    "a key that is for secrets": lambda forger: lambda claims: forger.sign(claims, kid="for-secrets"),
    "no key's name": lambda forger: lambda claims: forger.sign(claims, kid=None),
    "another algorithm": lambda forger: lambda claims: forger.sign(claims, algorithm="RS512"),
    "nothing": lambda forger: lambda claims: "",
    "no token at all": lambda forger: lambda claims: "not.a.token",
    "a token of another shape": lambda forger: lambda claims: "e30.e30",
    "a changed body": lambda forger: lambda claims: _tampered(forger.sign(claims)),
}


def _tampered(token: str) -> str:
    head, body, signature = token.split(".")
    return f"{head}.{body[:-4]}AAAA.{signature}"


class TestAToken:
    def test_control_an_ordinary_one_signs_in(self, client, come_back):
        assert come_back().url == reverse("event_list")
        assert client.get(reverse("account")).status_code == 200

    @pytest.mark.parametrize("kind", FORGED)
    def test_is_refused_with(self, client, forger, come_back, kind):
        nobody_came_in(client, come_back(FORGED[kind](forger)))

    def test_may_come_from_a_clock_half_a_minute_off(self, come_back, forger):
        now = int(time.time())
        late = {"iat": now - 310, "exp": now - 20}
        assert come_back(lambda claims: forger.sign({**claims, **late})).status_code == 302

    def test_may_come_from_a_clock_that_is_fast(self, come_back, forger):
        soon = int(time.time()) + 20
        assert come_back(lambda claims: forger.sign({**claims, "iat": soon, "nbf": soon})).status_code == 302

    def test_may_name_its_audience_in_a_list(self, come_back, forger):
        several = {"aud": ["happening", "account"]}
        assert come_back(lambda claims: forger.sign({**claims, **several})).status_code == 302


class TestTheProvidersWord:
    def test_must_be_about_the_same_person(self, client, come_back):
        nobody_came_in(client, come_back(userinfo={"sub": "somebody-else"}))

    def test_must_be_about_somebody(self, client, come_back):
        nobody_came_in(client, come_back(userinfo={"sub": None}))

    @pytest.mark.parametrize("verified", [False, None, "true", 1, "yes"])
    def test_must_be_that_the_address_is_verified(self, client, come_back, verified):
        nobody_came_in(client, come_back(userinfo={"email_verified": verified}))

    @pytest.mark.parametrize(
        "email", [None, "", "ada", "ada@localhost", ["ada@example.org"], "a\x00@example.org"]
    )
    def test_must_hold_an_address(self, client, come_back, email):
        nobody_came_in(client, come_back(userinfo={"email": email}))

    @pytest.mark.parametrize("step", ["token", "userinfo", "certs"])
    @pytest.mark.parametrize("status", [302, 404, 429, 500, 503])
    def test_may_be_missing(self, client, forger, come_back, step, status):
        forger.statuses[step] = status
        nobody_came_in(client, come_back())

    @pytest.mark.parametrize("status", [400, 401])
    def test_may_be_that_the_code_is_no_good(self, client, forger, come_back, status):
        forger.statuses["token"] = status
        nobody_came_in(client, come_back())

    @pytest.mark.parametrize("facts", [[], "ada", None, 7])
    def test_may_be_nonsense(self, client, forger, come_back, facts):
        forger.says_instead["userinfo"] = facts
        nobody_came_in(client, come_back())

    def test_is_waited_for_five_seconds_at_most(self, settings):
        assert settings.OIDC_TIMEOUT == 5


class TestKeys:
    def test_are_asked_for_once(self, forger, come_back, client):
        for _ in range(3):
            come_back()
            client.post(reverse("account_logout"))
        assert forger.times_asked_for_keys == 1

    def test_that_are_invented_do_not_cost_the_provider_anything(self, forger, come_back):
        for number in range(5):
            come_back(lambda claims, kid=f"invented-{number}": forger.sign(claims, kid=kid))
        assert forger.times_asked_for_keys == 1

    def test_that_are_new_are_known_at_once(self, forger, come_back, monkeypatch):
        come_back()
        monkeypatch.setattr("orgs.sso.provider.ASK_AGAIN", 0)
        monkeypatch.setattr("orgs.tests.forger.KID", "the-next-key")
        assert come_back(lambda claims: forger.sign(claims, kid="the-next-key")).status_code == 302

    def test_are_not_waited_for_by_one_after_the_other(self, settings, forger):
        """A provider that hangs holds up all who come meanwhile for one time-out together."""
        settings.OIDC_TIMEOUT = 0.5
        with socket.create_server(("127.0.0.1", 0)) as silent, ThreadPoolExecutor(8) as threads:
            settings.OIDC_OP_JWKS_ENDPOINT = f"http://127.0.0.1:{silent.getsockname()[1]}/certs"
            began = time.monotonic()
            answers = [threads.submit(tokens.keys.named, f"invented-{number}") for number in range(8)]
            assert {type(each.exception()) for each in answers} == {ProviderAway}
        assert time.monotonic() - began < 3

    def test_are_asked_for_again_soon_after_the_provider_did_not_answer(self, forger, come_back, client):
        forger.statuses["certs"] = 500
        nobody_came_in(client, come_back())
        forger.begin_anew()
        nobody_came_in(client, come_back())
        tokens.keys._failed_at -= provider.LEFT_ALONE
        assert come_back().status_code == 302


class TestACallback:
    def test_without_a_sign_in_of_this_browser_changes_nothing(self, client, forger, django_user_model):
        person = django_user_model.objects.create_user("uma@example.test", None, name="Uma")
        client.force_login(person)
        for query in (
            {"error": "access_denied"},
            {"error": "x", "state": "y"},
            {"code": "x", "state": "y"},
            {},
        ):
            assert client.get(reverse("oidc_callback"), query).status_code == 400
        assert client.get(reverse("account")).status_code == 200
        assert forger.asked == []

    def test_cannot_be_sent_twice(self, client, forger, come_back):
        come_back()
        client.logout()
        again = {"code": "a-code", "state": client.session.get("oidc_states", {}).get("x", "spent")}
        assert client.get(reverse("oidc_callback"), again).status_code == 400
        assert len(forger.asked) == 1

    def test_is_too_late_after_a_quarter_of_an_hour(self, client, forger, come_back, monkeypatch):
        monkeypatch.setattr("orgs.sso.flows.LIFE", -1)
        nobody_came_in(client, come_back())
        assert forger.asked == []

    def test_with_an_error_tells_the_person(self, client, forger, come_back):
        begun = client.get(reverse("oidc_begin"))
        state = parse_qs(urlsplit(begun.url).query)["state"][0]
        answer = client.get(reverse("oidc_callback"), {"error": "access_denied", "state": state})
        nobody_came_in(client, answer)

    def test_proves_that_it_is_the_browser_that_began(self, client, forger, come_back):
        come_back()
        assert 43 <= len(forger.asked[0]["code_verifier"]) <= 128
        assert forger.asked[0]["redirect_uri"] == "http://testserver/oidc/callback/"

    def test_asks_for_a_challenge_that_hides_the_proof(self, client, forger):
        query = parse_qs(urlsplit(client.get(reverse("oidc_begin")).url).query)
        assert query["code_challenge_method"] == ["S256"]
        assert (query["response_type"], query["client_id"]) == (["code"], ["happening"])

    def test_leaves_no_token_and_no_address_in_the_log(self, client, forger, come_back, caplog):
        come_back(lambda claims: forger.sign({**claims, "aud": "other"}))
        come_back(userinfo={"email_verified": False})
        said = caplog.text
        assert "token refused (InvalidAudienceError)" in said
        assert "ada@example.org" not in said
        assert forger.id_token not in said
        assert "a-code" not in said


class TestThePasswordForm:
    def test_never_reaches_the_provider(self, client, forger):
        url = reverse("account_login") + "?code=X&state=Y"
        client.post(url, {"login": "ada@example.org", "password": "wrong"})
        assert forger.asked == []


class TestLogoutTokens:
    """Looked at by themselves; `test_sso_leaving` sends them."""

    @pytest.fixture
    def claims(self, forger):
        return forger.claims(
            events={tokens.LOGOUT_EVENT: {}}, jti="once", typ="Logout", auth_time=None, azp=None
        )

    def read(self, forger, claims, **how):
        from django.utils import timezone

        return tokens.logout_token_claims(forger.sign(claims, **how), now=timezone.now())

    def test_control_an_ordinary_one_is_taken(self, forger, claims):
        assert self.read(forger, claims)["sub"] == "ada-at-the-provider"

    @pytest.mark.parametrize(
        "changes",
        [
            {"nonce": "an ID token's"},
            {"events": None},
            {"events": {}},
            {"events": {tokens.LOGOUT_EVENT: None}},
            {"events": [tokens.LOGOUT_EVENT]},
            {"iss": "https://evil.example"},
            {"aud": "another-client"},
            {"iat": None},
            {"iat": NOW - 3600},
            {"jti": None},
            {"sub": None},
            {"exp": NOW - 60},
        ],
    )
    def test_are_refused_with(self, forger, claims, changes):
        changed = {name: value for name, value in {**claims, **changes}.items() if value is not None}
        with pytest.raises(SignInRefused):
            self.read(forger, changed)

    def test_are_refused_unsigned(self, forger, claims):
        from django.utils import timezone

        for forged in (forger.unsigned(claims), forger.signed_with_the_public_key(claims)):
            with pytest.raises(SignInRefused):
                tokens.logout_token_claims(forged, now=timezone.now())
