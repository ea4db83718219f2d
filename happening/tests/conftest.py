import pytest


@pytest.fixture(autouse=True)
def unlimited(settings):
    """Attempts to sign in are not counted over tests."""
    settings.ACCOUNT_RATE_LIMITS = False
