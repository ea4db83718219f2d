import re
import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.urls import reverse

from orgs.models import AccountMail
from orgs.second_factor import SecondFactorAdapter
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

PASSWORD = "correct-horse-battery"


def code_of(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


@pytest.fixture
def ada():
    person = UserFactory(email="ada@example.org", verified=True)
    person.set_password(PASSWORD)
    person.save()
    return person


def give_password(client):
    return client.post(reverse("account_login"), {"login": "ada@example.org", "password": PASSWORD})


def prove(client):
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})


def set_up(client) -> str:
    """As a person does: sign in, prove it once more, read the key, type the number. Returns the key."""
    give_password(client)
    prove(client)
    page = client.get(reverse("mfa_activate_totp")).content.decode()
    secret = re.search(r'<code class="secret">(\w+)</code>', page)[1]
    client.post(reverse("mfa_activate_totp"), {"code": code_of(secret)})
    return secret


@pytest.fixture
def secret(client, ada):
    return set_up(client)


@pytest.fixture
def codes(client, secret):
    page = client.get(reverse("mfa_view_recovery_codes")).content.decode()
    codes = re.findall(r"<li><code>(\w+)</code></li>", page)
    client.logout()
    return codes


def is_in(client) -> bool:
    return client.get(reverse("account")).status_code == 200


class TestAnAuthenticatorApp:
    def test_is_asked_for_at_sign_in(self, client, secret):
        client.logout()
        assert give_password(client).url == reverse("mfa_authenticate")
        assert not is_in(client)

    def test_lets_in_with_its_number(self, client, secret, monkeypatch):
        client.logout()
        give_password(client)
        now = time.time() + 30  # the number that was typed to set it up is spent
        monkeypatch.setattr("allauth.mfa.totp.internal.auth.time.time", lambda: now)
        client.post(reverse("mfa_authenticate"), {"code": code_of(secret)})
        assert is_in(client)

    def test_takes_each_number_once(self, client, secret):
        number = code_of(secret)
        for _ in range(2):
            client.logout()
            give_password(client)
            answer = client.post(reverse("mfa_authenticate"), {"code": number})
        assert answer.status_code == 422
        assert not is_in(client)

    def test_is_not_passed_with_a_wrong_number(self, client, secret):
        client.logout()
        give_password(client)
        assert client.post(reverse("mfa_authenticate"), {"code": "000000"}).status_code == 422
        assert not is_in(client)

    def test_limits_guessing(self, client, secret, settings):
        settings.ACCOUNT_RATE_LIMITS = settings.MFA_RATE_LIMITS = {}
        client.logout()
        give_password(client)
        for guess in range(10):
            answer = client.post(reverse("mfa_authenticate"), {"code": f"{guess:06}"})
        assert b"oo many" in answer.content

    def test_is_set_up_by_who_has_just_proven_it(self, client, ada):
        give_password(client)
        assert client.get(reverse("mfa_activate_totp")).status_code == 302

    @pytest.mark.django_db(transaction=True)
    def test_is_told_of_by_mail(self, client, ada):
        set_up(client)
        assert AccountMail.objects.filter(subject="Your authenticator app is set up").exists()

    def test_shows_a_picture_that_the_policy_allows(self, client, ada):
        give_password(client)
        prove(client)
        answer = client.get(reverse("mfa_activate_totp"))
        assert b'src="data:image/svg+xml' in answer.content
        assert "img-src 'self' data:" in answer["Content-Security-Policy"]
        assert b"style=" not in answer.content


class TestRecoveryCodes:
    def test_let_in_once_each(self, client, codes):
        assert len(codes) == 10
        for _ in range(2):
            client.logout()
            give_password(client)
            client.post(reverse("mfa_authenticate"), {"code": codes[0]})
        assert not is_in(client)
        client.post(reverse("mfa_authenticate"), {"code": codes[1]})
        assert is_in(client)


class TestSecrets:
    def test_are_encrypted_in_the_database(self, secret):
        assert all(secret not in str(row.data) for row in Authenticator.objects.all())

    def test_are_read_after_a_change_of_key(self, settings):
        kept = SecondFactorAdapter().encrypt("a secret")
        settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another key"
        assert SecondFactorAdapter().decrypt(kept) == "a secret"


class TestThePages:
    @pytest.mark.parametrize(
        "name",
        [
            "mfa_index",
            "mfa_activate_totp",
            "mfa_add_webauthn",
            "mfa_list_webauthn",
            "usersessions_list",
            "account_reauthenticate",
        ],
    )
    def test_stand_in_the_sites_own_frame_without_anything_inline(self, client, ada, name):
        give_password(client)
        prove(client)
        page = client.get(reverse(name), follow=True).content.decode()
        assert "masthead" in page
        assert not re.search(r"<script(?![^>]*(src=|type=\"application/json\"))", page)
        assert not re.search(r"<style|\sstyle=|\son\w+=", page)
