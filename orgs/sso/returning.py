"""A sign-in that was begun on a tenant's host, carried to the platform's and back.

Cookies belong to one host, and the provider knows only the platform's, so the tenant's host sends people
there with a signed note of where to return, and gets them back with a code: signed, good for a minute and
for one use, for this host alone, and only for the browser that has the cookie it was begun with. Who
catches the code on its way, or talks somebody else into opening it, gains nothing.
"""

import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.core import signing
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.crypto import constant_time_compare

from orgs.models import SpentToken, User
from orgs.safe_next import safe_path
from orgs.sso.errors import AccountClosed, FlowUnknown

NOTE, CODE = "orgs.sso.note", "orgs.sso.code"  # salts: neither is taken for the other
NOTE_LIFE, CODE_LIFE = 900, 60  # seconds


def is_platform(request) -> bool:
    return request.get_host() == urlsplit(settings.SITE_URL).netloc


def to_platform(request, *, again: bool) -> HttpResponseRedirect:
    """From a tenant's host to the platform's, with a note; the browser keeps what it is bound to."""
    secret = secrets.token_urlsafe(32)
    note = {
        "origin": _origin(request),
        "bound_to": _digest(secret),
        "next": safe_path(request.GET.get("next")),
    }
    query = {"back": signing.dumps(note, salt=NOTE)} | ({"again": "1"} if again else {})
    answer = HttpResponseRedirect(platform_url("oidc_begin", query))
    answer.set_cookie(
        _cookie(),
        secret,
        max_age=NOTE_LIFE,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )
    return answer


def read_note(signed: str | None) -> dict | None:
    """Where to return, if anywhere. Raises FlowUnknown for a note that is not ours or too old."""
    return _read(signed, NOTE, NOTE_LIFE) if signed else None


def to_tenant(back: dict, person: User, *, sid: str, fresh: bool) -> HttpResponseRedirect:
    """Back to the tenant's host, with a code for this person."""
    code = {**back, "person": str(person.pk), "sid": sid, "fresh": fresh, "once": secrets.token_urlsafe(16)}
    query = urlencode({"code": signing.dumps(code, salt=CODE)})
    return HttpResponseRedirect(f"{back['origin']}{reverse('oidc_arrive')}?{query}")


def take_code(request, *, now: datetime) -> tuple[User, dict]:
    """Who arrives at this host with a code, and what the code says; it is used up.

    Raises:
        FlowUnknown: it is for another host or another browser, too old, used, or none of ours.
        AccountClosed: the person has been suspended in this minute.
    """
    signed = request.GET.get("code", "")
    code = _read(signed, CODE, CODE_LIFE)
    bound = constant_time_compare(_digest(request.COOKIES.get(_cookie(), "")), code["bound_to"])
    if not bound or code["origin"] != _origin(request):
        raise FlowUnknown
    if not SpentToken.objects.spend(signed, until=now + timedelta(seconds=CODE_LIFE), now=now):
        raise FlowUnknown
    person = User.objects.filter(pk=code["person"]).first()
    if person is None or not person.is_active:
        raise AccountClosed
    return person, code


def platform_url(name: str, query: dict) -> str:
    """The address of a page on the platform's host."""
    return f"{settings.SITE_URL.rstrip('/')}{reverse(name)}?{urlencode(query)}"


def forget(answer) -> None:
    answer.delete_cookie(_cookie(), samesite="Lax")


def _read(signed: str, salt: str, seconds: int) -> dict:
    try:
        return signing.loads(signed, salt=salt, max_age=seconds)
    except signing.BadSignature:
        raise FlowUnknown from None


def _origin(request) -> str:
    return f"{request.scheme}://{request.get_host()}"


def _cookie() -> str:
    return f"{'__Host-' if settings.SESSION_COOKIE_SECURE else ''}sso-return"


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
