"""Signing out at both ends, and being signed out from the other one.

Who signed in at the provider is sent there to sign out, with the ID token that it asks for. Only the
platform's host has that token: a tenant's sends people by way of it, with a signed note that says who, so
that nobody can be signed out by a link.
"""

from datetime import datetime
from urllib.parse import urlencode

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.core import signing

from orgs.models import SpentToken, User
from orgs.sso import provider, session, tokens
from orgs.sso.errors import TokenRefused
from orgs.sso.returning import platform_url

NOTE, NOTE_LIFE = "orgs.sso.leave", 60  # salt, seconds


def next_stop(request) -> str | None:
    """Where to send somebody whose session is about to end here; None for who came by password."""
    held = request.session.get(session.KEY)
    if not held or not provider.is_configured() or not request.user.is_authenticated:
        return None
    if not held["id_token"]:
        note = signing.dumps(str(request.user.pk), salt=NOTE)
        return platform_url("oidc_leave", {"note": note})
    query = {
        "id_token_hint": held["id_token"],
        "client_id": settings.OIDC_RP_CLIENT_ID,
        "post_logout_redirect_uri": settings.SITE_URL.rstrip("/") + "/",
    }
    return f"{settings.OIDC_OP_LOGOUT_ENDPOINT}?{urlencode(query)}"


def may_leave(request) -> bool:
    """Whether a tenant's host has just signed out the very person whom this session belongs to."""
    try:
        leaver = signing.loads(request.GET.get("note", ""), salt=NOTE, max_age=NOTE_LIFE)
    except signing.BadSignature:
        return False
    return request.user.is_authenticated and str(request.user.pk) == leaver


def end_by_provider(logout_token: str, *, now: datetime) -> None:
    """End the session that the provider has ended; all of the person's, where it names none that we know.

    Raises:
        TokenRefused: the token is not what it must be, or was used before.
        ProviderAway: its key could not be asked for.
    """
    claims = tokens.logout_token_claims(logout_token, now=now)
    if not SpentToken.objects.spend(str(claims["jti"]), until=now + 2 * tokens.LOGOUT_LIFE, now=now):
        raise TokenRefused("used before")
    people = User.objects.filter(keycloak_id=claims["sub"])
    named = UserSession.objects.filter(user__in=people, data__sid=str(claims.get("sid") or ""))
    ending = list(named)
    for one in ending:
        one.end()
    if not ending:
        people.end_sessions()
