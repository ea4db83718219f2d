"""What makes a token ours: each claim that ASVS 10.5 asks to be checked, and nothing taken on trust."""

from datetime import UTC, datetime, timedelta

import jwt
from django.conf import settings
from django.utils.crypto import constant_time_compare

from orgs.sso.errors import NotFresh, TokenRefused
from orgs.sso.provider import keys

LEEWAY = 30  # seconds by which the provider's clock may differ
FRESH = 300  # seconds within which somebody must have signed in at the provider to be taken as fresh
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
LOGOUT_LIFE = timedelta(minutes=10)


def id_token_claims(token: str, *, nonce: str) -> dict:
    """The claims of an ID token that answers the sign-in with this nonce.

    Raises:
        TokenRefused: it is not ours, not from our provider, not for this sign-in, or its time is over.
        ProviderAway: the key it was signed with could not be asked for.
    """
    claims = _signed_claims(token, required=["exp", "iat", "iss", "aud", "sub"])
    if not nonce or not constant_time_compare(str(claims.get("nonce", "")), nonce):
        raise TokenRefused("nonce")
    if claims.get("typ", "ID") != "ID":
        raise TokenRefused("not an ID token")
    return claims


def ensure_fresh(claims: dict, *, now: datetime) -> None:
    """Raises NotFresh unless the person has just signed in at the provider."""
    signed_in_at = claims.get("auth_time")
    if not isinstance(signed_in_at, int | float) or signed_in_at + FRESH + LEEWAY < now.timestamp():
        raise NotFresh


def logout_token_claims(token: str, *, now: datetime) -> dict:
    """The claims of a logout token; whether it is used for the first time is for the caller to ask.

    Raises:
        TokenRefused: it is anything else, or somebody's ID token.
        ProviderAway: the key it was signed with could not be asked for.
    """
    claims = _signed_claims(token, required=["iat", "iss", "aud", "jti"])
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(LOGOUT_EVENT), dict):
        raise TokenRefused("no logout event")
    if "nonce" in claims:
        raise TokenRefused("has a nonce")
    if datetime.fromtimestamp(claims["iat"], UTC) < now - LOGOUT_LIFE:
        raise TokenRefused("too old")
    if not isinstance(claims.get("sub"), str) or not claims["sub"]:
        raise TokenRefused("names nobody")
    return claims


def _signed_claims(token: str, *, required: list[str]) -> dict:
    """Signature (RS256 and no other), issuer, audience, authorized party, times."""
    try:
        header = jwt.get_unverified_header(token)
        if header.get("alg") != "RS256":
            raise TokenRefused("algorithm")
        claims = jwt.decode(
            token,
            keys.named(str(header.get("kid", ""))),
            algorithms=["RS256"],
            issuer=settings.OIDC_ISSUER,
            audience=settings.OIDC_RP_CLIENT_ID,
            leeway=LEEWAY,
            options={"require": required},
        )
    except jwt.PyJWTError as error:
        raise TokenRefused(type(error).__name__) from None
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if (several or "azp" in claims) and claims.get("azp") != settings.OIDC_RP_CLIENT_ID:
        raise TokenRefused("authorized party")
    return claims
