"""Single sign-on, where it is set: whether the provider answers, and is the one that was meant."""

from collections.abc import Iterator

from django.conf import settings

from happening.doctor.finding import Finding
from orgs.sso import provider
from orgs.sso.errors import ProviderAway

NAME = "Single sign-on"


def look() -> Iterator[Finding]:
    if not provider.is_configured():
        yield Finding(NAME, "none; people sign in by email")
        return
    issuer = settings.OIDC_ISSUER
    try:
        says_of_itself = provider.configuration().get("issuer")
        keys = provider.signing_keys()
    except ProviderAway:
        mend = (
            "Start Keycloak, or correct OIDC_ISSUER. People who have a password or a passkey sign in without."
        )
        yield Finding(NAME, f"{issuer} does not answer as a provider does", mend)
        return
    if says_of_itself != issuer:
        mend = f"Set OIDC_ISSUER={says_of_itself}, or the provider's own address (Keycloak: KC_HOSTNAME)."
        yield Finding(NAME, f"{issuer} calls itself {says_of_itself}, so no token of its is taken", mend)
    elif not keys:
        yield Finding(NAME, f"{issuer} has no RSA key for signatures", "Give the realm an RS256 key.")
    elif not settings.OIDC_RP_CLIENT_SECRET:
        yield Finding(NAME, "there is no client secret", "Set OIDC_CLIENT_SECRET to the one of the client.")
    else:
        yield Finding(NAME, issuer)
