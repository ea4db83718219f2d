"""Single sign-on as a browser goes through it, with the forger at the other end."""

import time
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import AnonymousUser
from django.contrib.messages.storage.fallback import FallbackStorage
from django.core import mail
from django.urls import reverse

from orgs.accounts import AccountAdapter
from orgs.models import AccountMail, User
from orgs.sso import tokens
from orgs.tasks import send_account_mail
from tests.factories import OrganizationFactory, UserFactory

pytestmark = pytest.mark.django_db

TENANT = "acme.localhost"
PASSWORD = "correct-horse-battery"


def query_of(url: str) -> dict:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


@pytest.fixture
def at_the_provider(client, forger):
    """What the provider does with somebody who was sent there: returns the way back to the callback."""

    def sign_in(url, *, sub="subject-1", email="ada@example.org", **claims):
        sent = query_of(url)
        forger.id_token = forger.sign(forger.claims(nonce=sent["nonce"], sub=sub, **claims))
        forger.userinfo = {"sub": sub, "email": email, "email_verified": True, "name": "Ada"}
        return f"{reverse('oidc_callback')}?code=a-code&state={sent['state']}"

    return sign_in


@pytest.fixture
def sign_in(client, at_the_provider):
    def sign_in(next_url=None, **who):
        begun = client.get(reverse("oidc_begin"), {"next": next_url} if next_url else {})
        return client.get(at_the_provider(begun.url, **who))

    return sign_in


@pytest.fixture
def uma():
    person = UserFactory(email="uma@example.org", verified=True)
    person.set_password(PASSWORD)
    person.save()
    return person


@pytest.fixture
def by_password(client, uma):
    client.post(reverse("account_login"), {"login": uma.email, "password": PASSWORD})
    return uma


def is_in(client, **how) -> bool:
    return client.get(reverse("account"), **how).status_code == 200


class TestTheEntrance:
    def test_offers_single_sign_on_where_there_is_one(self, client, forger):
        assert b"Sign in with SSO" in client.get(reverse("account_login")).content

    def test_keeps_where_one_came_from(self, client, forger):
        page = client.get(reverse("account_login"), {"next": "/bookings/?a=1&b=2"}).content.decode()
        assert f"{reverse('oidc_begin')}?next=%2Fbookings%2F%3Fa%3D1%26b%3D2" in page

    def test_does_not_mention_what_is_not_there(self, client):
        assert b"SSO" not in client.get(reverse("account_login")).content
        assert client.get(reverse("oidc_begin")).status_code == 404
        assert client.get(reverse("oidc_callback")).status_code == 404
        assert client.post(reverse("oidc_backchannel_logout")).status_code == 404

    def test_shows_while_the_provider_is_down(self, client, forger, settings):
        settings.OIDC_OP_TOKEN_ENDPOINT = "http://127.0.0.1:1/token"
        assert client.get(reverse("account_login")).status_code == 200

    def test_sends_back_to_where_one_came_from(self, sign_in):
        assert sign_in("/bookings/").url == "/bookings/"

    @pytest.mark.parametrize(
        "url",
        [
            "https://evil.example/",
            "//evil.example/",
            "/\\evil.example/",
            "\\\\evil.example",
            "javascript:alert(1)",
            "/\t/evil.example",
            "///evil.example",
            "http:///evil.example",
            "evil.example",
            "/%0a/" * 900,
        ],
    )
    def test_never_sends_to_another_site(self, sign_in, url):
        assert sign_in(url).url == reverse("event_list")


class TestSigningIn:
    def test_gives_a_session_of_its_own_for_ten_hours(self, client, sign_in):
        client.get(reverse("account_login"))
        session = client.session
        session["before"] = True
        session.save()
        client.cookies["sessionid"] = before = session.session_key
        sign_in()
        assert client.session.session_key != before
        assert 35_900 < client.session.get_expiry_age() <= 36_000

    def test_ends_after_its_hours_whatever_one_does(self, client, sign_in, settings):
        sign_in()
        end = client.session.get_expiry_date()
        session = client.session
        session["something"] = "done"
        session.save()
        assert client.session.get_expiry_date() == end

    def test_does_not_mix_with_somebody_elses_session(self, client, by_password, sign_in):
        session = client.session
        session["of"] = "uma"
        session.save()
        sign_in()
        assert "of" not in client.session
        assert b"Ada" in client.get(reverse("account")).content

    def test_to_an_address_that_is_taken_says_what_to_do(self, client, uma, sign_in):
        answer = sign_in(email=uma.email)
        assert answer.status_code == 409
        assert b"connect single sign-on" in answer.content
        assert not is_in(client)

    def test_is_over_at_once_for_who_is_suspended(self, client, sign_in):
        sign_in()
        User.objects.update(status="suspended")
        assert not is_in(client)

    def test_is_over_at_once_when_all_sessions_are_ended(self, client, sign_in):
        sign_in()
        User.objects.all().end_sessions()
        assert not is_in(client)

    def test_that_fails_ends_what_the_provider_stood_for(self, client, sign_in):
        sign_in()
        User.objects.update(status="suspended")
        sign_in()
        User.objects.update(status="active")
        assert not is_in(client)

    def test_that_fails_leaves_a_session_by_password_alone(self, client, by_password, sign_in):
        sign_in(aud="another-client")
        assert is_in(client)

    def test_is_seen_in_the_list_of_sessions(self, client, sign_in):
        sign_in()
        assert UserSession.objects.get().data == {"sid": "session-1"}


class TestWhoIsManagedElsewhere:
    @pytest.fixture
    def ada(self, client, sign_in):
        sign_in()
        return User.objects.get(keycloak_id="subject-1")

    def test_gets_no_password_by_mail(self, client, ada):
        client.logout()
        answer = client.post(reverse("account_reset_password"), {"email": ada.email})
        assert answer.url == reverse("account_reset_password_done")
        send_account_mail()
        assert "single sign-on" in mail.outbox[0].body
        assert "password/reset/key" not in mail.outbox[0].body

    def test_sets_no_password(self, client, ada):
        facts = {"password1": "a-new-password-9", "password2": "a-new-password-9"}
        client.post(reverse("account_set_password"), facts)
        ada.refresh_from_db()
        assert not ada.has_usable_password()

    def test_adds_no_address(self, client, ada):
        client.post(reverse("account_email"), {"action_add": "", "email": "mine@example.org"})
        assert ada.emailaddress_set.count() == 1
        assert not AccountMail.objects.exists()

    @pytest.mark.parametrize(
        "page", ["mfa_index", "mfa_activate_totp", "mfa_add_webauthn", "mfa_list_webauthn"]
    )
    def test_has_no_second_step_here(self, client, ada, page):
        """A passkey would be a way in that Keycloak cannot close."""
        for ask in (client.get, client.post):
            answer = ask(reverse(page), follow=True)
            assert answer.redirect_chain == [(reverse("account"), 302)]
        assert "kept where you sign in" in answer.content.decode()
        assert not Authenticator.objects.exists()

    def test_does_not_sign_in_by_a_passkey_from_before(self, client, ada, rf):
        request = rf.get("/")
        request.session, request.user = client.session, AnonymousUser()
        request._messages = FallbackStorage(request)
        answer = AccountAdapter(request).pre_login(
            request,
            ada,
            email_verification=None,
            signal_kwargs=None,
            email=None,
            signup=False,
            redirect_url=None,
        )
        assert answer.url == reverse("account_login")

    def test_shows_who_it_is_at_the_provider(self, client, ada, at_the_provider):
        begun = client.get(reverse("oidc_begin"), {"again": "1", "next": "/account/"})
        assert query_of(begun.url)["prompt"] == "login"
        answer = client.get(at_the_provider(begun.url))
        assert answer.url == "/account/"

    @pytest.mark.parametrize(
        "when", [None, int(time.time()) - 3600, "now"], ids=["never", "an hour ago", "words"]
    )
    def test_is_not_taken_as_fresh_on_the_providers_memory(self, client, ada, at_the_provider, when):
        begun = client.get(reverse("oidc_begin"), {"again": "1"})
        assert client.get(at_the_provider(begun.url, auth_time=when)).status_code == 403


class TestConnecting:
    def test_lets_the_person_sign_in_either_way(self, client, by_password, at_the_provider, sign_in):
        begun = client.post(reverse("oidc_connect"))
        client.get(at_the_provider(begun.url))
        client.logout()
        sign_in()
        assert b"uma@example.org" in client.get(reverse("account_email")).content

    def test_asks_who_is_there_after_a_while(self, client, by_password, forger, settings):
        settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = -1
        answer = client.post(reverse("oidc_connect"))
        assert answer.url.startswith(reverse("account_reauthenticate"))

    def test_is_not_begun_by_a_link(self, client, by_password, forger):
        assert client.get(reverse("oidc_connect")).status_code == 405

    def test_is_not_finished_by_another_person(self, client, by_password, at_the_provider):
        begun = client.post(reverse("oidc_connect"))
        way_back = at_the_provider(begun.url)
        client.force_login(UserFactory())
        assert client.get(way_back).status_code == 400
        assert not User.objects.filter(keycloak_id__isnull=False).exists()

    def test_can_be_undone(self, client, by_password, at_the_provider):
        client.get(at_the_provider(client.post(reverse("oidc_connect")).url))
        client.post(reverse("oidc_disconnect"))
        by_password.refresh_from_db()
        assert by_password.keycloak_id is None

    def test_cannot_be_undone_by_who_has_no_other_way_in(self, client, sign_in, at_the_provider):
        sign_in()
        client.get(at_the_provider(client.get(reverse("oidc_begin"), {"again": "1"}).url))
        client.post(reverse("oidc_disconnect"))
        assert User.objects.get().keycloak_id == "subject-1"


class TestSigningOut:
    def test_goes_on_at_the_provider_with_what_it_asks_for(self, client, forger, sign_in):
        sign_in()
        answer = client.post(reverse("account_logout"))
        assert answer.url.startswith(f"{forger.issuer}/protocol/openid-connect/logout?")
        sent = query_of(answer.url)
        assert sent["id_token_hint"] == forger.id_token
        assert sent["post_logout_redirect_uri"] == "http://testserver/"
        assert not is_in(client)

    def test_stays_here_for_who_came_by_password(self, client, forger, by_password):
        assert client.post(reverse("account_logout")).url == reverse("event_list")

    def test_does_not_happen_by_a_link(self, client, sign_in):
        sign_in()
        client.get(reverse("account_logout"))
        client.get(reverse("oidc_leave"))
        client.get(reverse("oidc_leave"), {"note": "forged"})
        assert is_in(client)


class TestTheProvidersSignOut:
    @pytest.fixture
    def send(self, client, forger):
        def send(**changes):
            claims = forger.claims(
                sub="subject-1", events={tokens.LOGOUT_EVENT: {}}, jti="once", auth_time=None, azp=None
            )
            token = forger.sign({name: v for name, v in {**claims, **changes}.items() if v is not None})
            return type(client)().post(reverse("oidc_backchannel_logout"), {"logout_token": token})

        return send

    def test_ends_the_session_that_it_names(self, client, sign_in, send):
        sign_in()
        assert send().status_code == 200
        assert not is_in(client)

    def test_leaves_the_persons_other_sessions(self, client, sign_in, send):
        sign_in(sid="session-2")
        send()  # names session-1, of which nothing is known, but must end: all do
        assert not is_in(client)
        sign_in(sid="session-2")
        other = type(client)()
        other.force_login(User.objects.get())
        send(sid="session-2", jti="another")
        assert not is_in(client)
        assert is_in(other)

    def test_ends_them_all_where_it_names_none(self, client, sign_in, send):
        sign_in()
        send(sid=None)
        assert not is_in(client)

    def test_is_taken_once(self, client, sign_in, send):
        sign_in()
        send()
        sign_in()
        assert send().status_code == 400
        assert is_in(client)

    def test_of_a_stranger_does_nothing(self, client, by_password, send):
        assert send(sub="a-stranger").status_code == 200
        assert is_in(client)

    @pytest.mark.parametrize("changes", [{"nonce": "x"}, {"aud": "other"}, {"events": None}, {"sub": None}])
    def test_that_is_none_does_nothing(self, client, sign_in, send, changes):
        sign_in()
        assert send(**changes).status_code == 400
        assert is_in(client)

    def test_that_cannot_be_checked_may_come_again(self, forger, send):
        forger.statuses["certs"] = 500
        assert send().status_code == 503

    def test_needs_a_token(self, client, forger):
        assert client.post(reverse("oidc_backchannel_logout")).status_code == 400
        assert client.get(reverse("oidc_backchannel_logout")).status_code == 405


class TestFromATenantsHost:
    """`client` keeps one jar for all hosts, so what belongs to which host is moved by hand."""

    @pytest.fixture
    def tenant(self, client):
        OrganizationFactory(domain=TENANT)
        return type(client)(headers={"host": TENANT})

    @pytest.fixture
    def carried(self, client, tenant, at_the_provider):
        """All the way to the code with which one arrives at the tenant's host."""

        def carried(**query):
            begun = tenant.get(reverse("oidc_begin"), query)
            assert begun.url.startswith(f"http://testserver{reverse('oidc_begin')}?back=")
            return client.get(at_the_provider(client.get(begun.url).url))

        return carried

    def test_leads_over_the_platforms_and_back(self, tenant, carried):
        arriving = carried(next="/bookings/")
        assert arriving.url.startswith(f"http://{TENANT}{reverse('oidc_arrive')}?code=")
        assert tenant.get(arriving.url).url == "/bookings/"
        assert is_in(tenant)

    def test_works_once(self, tenant, carried):
        arriving = carried()
        cookie = tenant.cookies["sso-return"].value
        tenant.get(arriving.url)
        tenant.logout()
        tenant.cookies["sso-return"] = cookie
        assert tenant.get(arriving.url).status_code == 400
        assert not is_in(tenant)

    def test_works_in_the_browser_that_began(self, client, tenant, carried):
        arriving = carried()
        other = type(client)(headers={"host": TENANT})
        assert other.get(arriving.url).status_code == 400
        other.get(reverse("oidc_begin"))  # has a cookie of its own now
        assert other.get(arriving.url).status_code == 400
        assert tenant.get(arriving.url).status_code == 302

    def test_works_on_the_host_that_began(self, tenant, carried):
        arriving = carried()
        OrganizationFactory(domain="globex.localhost")
        assert tenant.get(arriving.url, headers={"host": "globex.localhost"}).status_code == 400

    def test_works_for_a_minute(self, tenant, carried, monkeypatch):
        arriving = carried()
        monkeypatch.setattr("orgs.sso.returning.CODE_LIFE", -1)
        assert tenant.get(arriving.url).status_code == 400

    @pytest.mark.parametrize("code", ["", "forged", "a.b.c"])
    def test_takes_no_other_code(self, tenant, forger, code):
        assert tenant.get(reverse("oidc_arrive"), {"code": code}).status_code == 400

    def test_takes_no_note_for_a_code(self, tenant, forger):
        note = query_of(tenant.get(reverse("oidc_begin")).url)["back"]
        assert tenant.get(reverse("oidc_arrive"), {"code": note}).status_code == 400

    def test_takes_no_note_that_is_not_ours(self, client, forger):
        assert client.get(reverse("oidc_begin"), {"back": "forged"}).status_code == 400

    def test_is_refused_to_who_was_suspended_meanwhile(self, tenant, carried):
        arriving = carried()
        User.objects.update(status="suspended")
        assert tenant.get(arriving.url).status_code == 403

    def test_signs_out_at_all_three(self, client, tenant, forger, carried):
        tenant.get(carried().url)
        by_way_of = tenant.post(reverse("account_logout"))
        assert not is_in(tenant)
        assert by_way_of.url.startswith(f"http://testserver{reverse('oidc_leave')}?note=")
        onward = client.get(by_way_of.url)
        assert onward.url.startswith(f"{forger.issuer}/protocol/openid-connect/logout?id_token_hint=")
        assert not is_in(client)

    def test_signs_nobody_else_out(self, client, tenant, carried):
        tenant.get(carried().url)
        by_way_of = tenant.post(reverse("account_logout"))
        client.force_login(UserFactory())
        assert client.get(by_way_of.url).status_code == 400
        assert is_in(client)

    def test_is_ended_by_the_provider_like_any(self, client, tenant, forger, carried):
        tenant.get(carried().url)
        assert UserSession.objects.filter(data__sid="session-1").count() == 2
