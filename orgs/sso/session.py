"""The session of somebody whom the provider signed in."""

from datetime import datetime, timedelta

from allauth.account.internal.flows.login import record_authentication
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import login

from orgs import offers
from orgs.models import User
from orgs.sso.backend import PATH

KEY = "oidc"


def open_session(
    request, person: User, *, sid: str, now: datetime, id_token: str | None = None, fresh: bool = False
) -> None:
    """Sign `person` in, for OIDC_SESSION_HOURS at most, whatever they do meanwhile.

    Args:
        sid: The provider's name for its session, by which it can end this one.
        id_token: What to sign out with at the provider; only the platform's host has it.
        fresh: Whether the person has just shown there that it is they.
    """
    login(request, person, backend=PATH)
    request.session[KEY] = {"id_token": id_token}
    request.session.set_expiry(now + timedelta(hours=settings.OIDC_SESSION_HOURS))
    record_authentication(request, person, method="oidc", reauthenticated=fresh or None)
    offers.note(request, person)
    UserSession.objects.create_from_request(request)
    UserSession.objects.filter(session_key=request.session.session_key).update(data={"sid": sid})
