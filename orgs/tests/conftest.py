import pytest

from orgs.sso import provider
from orgs.tests.forger import CLIENT, Forger


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
