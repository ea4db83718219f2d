import json
import re

import pytest
from django.utils import timezone

from orgs import sealing
from orgs.models import AccountMail, Organization, User
from orgs.roles import Role
from orgs.sso import provider
from orgs.tests.forger import CLIENT, Forger
from tests.factories import MembershipFactory, OrganizationFactory


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def acme(db) -> Organization:
    return OrganizationFactory(name="Acme", slug="acme")


@pytest.fixture
def member(acme):
    """Somebody in a role of Acme, with a verified address."""

    def joining(role=Role.USER, **facts) -> User:
        return MembershipFactory(organization=acme, role=role, user__verified=True, **facts).user

    return joining


@pytest.fixture
def admin(member) -> User:
    return member(Role.ORG_ADMIN)


@pytest.fixture
def mail_to():
    """The account mails that are owed to an address, newest first: subject and text."""

    def reading(email: str) -> list[str]:
        mails = AccountMail.objects.filter(recipient=email).order_by("-created_at", "-id")
        return [f"{mail.subject}\n{json.loads(sealing.unseal(mail.sealed))['text']}" for mail in mails]

    return reading


@pytest.fixture
def token_for(mail_to):
    """The token in the newest invitation that is owed to an address."""

    def finding(email: str) -> str:
        return re.search(r"/invites/([^/\s]+)/", "\n".join(mail_to(email)))[1]

    return finding


@pytest.fixture(autouse=True)
def unlimited(settings):
    """Attempts are not counted over tests; `test_limits` counts them."""
    settings.ACCOUNT_RATE_LIMITS = settings.MFA_RATE_LIMITS = False


@pytest.fixture(scope="session")
def a_forger():
    forger = Forger()
    yield forger
    forger.close()


@pytest.fixture
def forger(a_forger, settings, monkeypatch):
    """The provider of this test: whatever it is told to say, it says."""
    a_forger.begin_anew()
    monkeypatch.setattr("orgs.sso.tokens.keys", provider.Keys())
    settings.OIDC_ISSUER = a_forger.issuer
    settings.OIDC_RP_CLIENT_ID = CLIENT
    settings.OIDC_RP_CLIENT_SECRET = "a secret"
    settings.SITE_URL = "http://testserver"
    for name, path in {
        "AUTHORIZATION": "auth",
        "TOKEN": "token",
        "USER": "userinfo",
        "JWKS": "certs",
        "LOGOUT": "logout",
    }.items():
        setattr(settings, f"OIDC_OP_{name}_ENDPOINT", f"{a_forger.issuer}/protocol/openid-connect/{path}")
    return a_forger
