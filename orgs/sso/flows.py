"""One sign-in from its first step to the callback: what the browser's session remembers of it meanwhile.

Each is found by its state, taken once, and over after a quarter of an hour. Several may be under way in the
tabs of one browser.
"""

import time
from dataclasses import dataclass
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse
from django.utils.crypto import constant_time_compare, get_random_string
from mozilla_django_oidc.utils import add_state_and_verifier_and_nonce_to_session, generate_code_challenge

from orgs.sso.errors import FlowUnknown

LIFE = 900  # seconds
KEY = "oidc_states"  # where mozilla-django-oidc keeps them

SIGN_IN, LINK, CONFIRM = "sign in", "link", "confirm"


@dataclass(frozen=True)
class Flow:
    aim: str
    nonce: str
    code_verifier: str
    next: str | None
    back: dict | None  # where to carry it, when it was begun on a tenant's host
    person: str | None  # who wants to be linked


def begin(request, *, aim: str = SIGN_IN, next_url: str | None = None, back: dict | None = None) -> str:
    """Remember a new sign-in; returns the provider's URL at which it goes on."""
    state, verifier = get_random_string(32), get_random_string(64)
    params = {
        "response_type": "code",
        "scope": settings.OIDC_RP_SCOPES,
        "client_id": settings.OIDC_RP_CLIENT_ID,
        "redirect_uri": request.build_absolute_uri(reverse("oidc_callback")),
        "state": state,
        "nonce": get_random_string(32),
        "code_challenge": generate_code_challenge(verifier, "S256"),
        "code_challenge_method": "S256",
    }
    if aim == CONFIRM:
        params |= {"prompt": "login", "max_age": "0"}
    add_state_and_verifier_and_nonce_to_session(request, state, params, verifier)
    person = str(request.user.pk) if aim == LINK else None
    request.session[KEY][state] |= {"aim": aim, "next": next_url, "back": back, "person": person}
    request.session.modified = True
    return f"{settings.OIDC_OP_AUTHORIZATION_ENDPOINT}?{urlencode(params)}"


def take(request) -> Flow:
    """The sign-in that the provider sends back; it cannot be taken again.

    Raises:
        FlowUnknown: this browser began none with that state, or too long ago.
    """
    state = request.GET.get("state", "")
    known = request.session.get(KEY, {})
    kept = known.pop(next((one for one in known if constant_time_compare(one, state)), None), None)
    if kept is None:
        raise FlowUnknown
    request.session.modified = True
    request.session.save()  # before the provider is asked, which is slow
    if kept["added_on"] + LIFE < time.time():
        raise FlowUnknown
    names = ("aim", "nonce", "code_verifier", "next", "back", "person")
    return Flow(**{name: kept[name] for name in names})
