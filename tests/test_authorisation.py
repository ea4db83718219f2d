"""Who gets what from every address of the site: a matrix made from the URL resolver.

Each pattern stands in TABLE, or the first test fails; the admin's have a matrix of their own. Everybody asks
for everything, by GET and by POST: one's own, somebody else's, and what there is not. Where something is not
for a person the answer is that of a missing one, to the letter, and holds no word of the tenant whose it is.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.hashers import make_password
from django.test import Client
from django.urls import URLPattern, get_resolver

from notifications.models import Notification
from orgs.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("as_the_application")]
MISSING = UUID(int=7)
PASSWORD = make_password("correct-horse-battery")

PEOPLE = (
    "anonymous",
    "deactivated",
    "nobody",  # signed in, with nothing to do with Acme
    "attendee",  # holds the booking
    "member",  # waits for the same event
    "organizer",
    "admin",
    "other_admin",  # of another tenant
    "platform",
)
SIGNED_OUT = {"anonymous", "deactivated"}
MEMBERS = {"member", "organizer", "admin", "platform"}
SEEN_BY = {"event": set(PEOPLE), "members_event": MEMBERS, "draft": set(), "missing": set()}
EVENTS = tuple(SEEN_BY)

# What an answer comes to.
PAGE, LOGIN, ELSEWHERE, NOTHING = "a page", "sign in first", "look there", "nothing here"
REFUSED, NOT_SO = "refused", "not by this method"


def everybody(person, thing):
    return PAGE


def onwards(person, thing):
    return ELSEWHERE


def signed_in(person, thing):
    return LOGIN if person in SIGNED_OUT else PAGE


def signed_in_onwards(person, thing):
    return LOGIN if person in SIGNED_OUT else ELSEWHERE


def signed_out(person, thing):
    """Pages for who is not signed in; the others are led on."""
    return PAGE if person in SIGNED_OUT else ELSEWHERE


def who_may_see(person, thing):
    return PAGE if person in SEEN_BY[thing] else NOTHING


def who_may_book(person, thing):
    return LOGIN if person in SIGNED_OUT else who_may_see(person, thing)


def holder(person, thing):
    """The attendee alone: not the organizer, not the platform's staff, who have the admin."""
    if person in SIGNED_OUT:
        return LOGIN
    return PAGE if (person, thing) == ("attendee", "own") else NOTHING


def holder_onwards(person, thing):
    return ELSEWHERE if holder(person, thing) == PAGE else holder(person, thing)


def signed_in_or_not_so(person, thing):
    return LOGIN if person in SIGNED_OUT else NOT_SO


def signed_in_or_nothing(person, thing):
    return LOGIN if person in SIGNED_OUT else NOTHING


def signed_in_or_refused(person, thing):
    """For programs, which cannot follow to a sign-in page."""
    return REFUSED if person in SIGNED_OUT else PAGE


def signed_in_else_onwards(person, thing):
    return ELSEWHERE if person in SIGNED_OUT else PAGE


def invite_page(person, thing):
    """Nobody here has opened the link of an invite."""
    return ELSEWHERE if person in SIGNED_OUT else NOTHING


def nowhere(person, thing):
    return NOTHING


def not_so(person, thing):
    return NOT_SO


@dataclass(frozen=True)
class Rule:
    get: Callable[[str, str], str]
    post: Callable[[str, str], str] = not_so
    things: tuple[str, ...] = ("",)


def booker(person, thing):
    """There are people in line for the event, and no place for another: a page that says so. The members'
    event has seats, for members; the platform's staff are none."""
    if thing == "members_event" and person in MEMBERS - {"platform"}:
        return ELSEWHERE
    return who_may_book(person, thing)


def nobody_is_offered(person, thing):
    """Acme has proven no mail domain."""
    return LOGIN if person in SIGNED_OUT else NOTHING


def who_belongs(person, thing):
    if person in SIGNED_OUT:
        return LOGIN
    return PAGE if thing == "own" and person in MEMBERS - {"platform"} else NOTHING


def who_leaves(person, thing):
    """Everybody but the last administrator, who gets a page that says why not."""
    is_leaving = who_belongs(person, thing) == PAGE and person != "admin"
    return ELSEWHERE if is_leaving else who_belongs(person, thing)


def bearer_of_the_link(person, thing):
    """The invite is for another address than any of these people's."""
    if person in SIGNED_OUT:
        return ELSEWHERE
    return REFUSED if thing == "own" else NOTHING


EVENTS_THERE = {"things": EVENTS}
OWN = {"things": ("own", "missing")}
NONE_THERE = {"things": ("missing",)}

TABLE: dict[str, Rule] = {
    "": Rule(everybody),
    "events/": Rule(everybody),
    "events.ics": Rule(everybody),
    "events/<uuid:event_id>/": Rule(who_may_see, **EVENTS_THERE),
    "events/<uuid:event_id>/event.ics": Rule(who_may_see, **EVENTS_THERE),
    "events/<uuid:event_id>/state/": Rule(who_may_see, **EVENTS_THERE),
    "live/events/<uuid:event_id>/": Rule(who_may_see, **EVENTS_THERE),
    "events/<uuid:event_id>/book/": Rule(onwards, booker, **EVENTS_THERE),
    "bookings/": Rule(signed_in, signed_in_or_not_so),
    "bookings/<uuid:booking_id>/": Rule(holder, signed_in_or_not_so, **OWN),
    "bookings/<uuid:booking_id>/modify/": Rule(holder, holder, **OWN),
    "bookings/<uuid:booking_id>/cancel/": Rule(holder, holder, **OWN),
    "notifications/": Rule(signed_in, signed_in_or_not_so),
    "notifications/read/": Rule(signed_in_or_not_so, signed_in_onwards),
    "notifications/<uuid:notification_id>/read/": Rule(signed_in_or_not_so, holder_onwards, **OWN),
    "notifications/state/": Rule(signed_in_or_refused),
    "live/notifications/": Rule(signed_in_or_refused),
    "notifications/preferences/": Rule(signed_in, signed_in_onwards),
    "notifications/unsubscribe/<str:token>/": Rule(nowhere, everybody, **NONE_THERE),
    "invites/": Rule(nowhere, invite_page),
    "invites/<str:token>/": Rule(onwards, bearer_of_the_link, **OWN),
    "orgs/new/": Rule(signed_in, signed_in),
    "orgs/<uuid:organization_id>/join/": Rule(signed_in_or_not_so, nobody_is_offered, **OWN),
    "orgs/<uuid:organization_id>/not-now/": Rule(signed_in_or_not_so, nobody_is_offered, **OWN),
    "orgs/<uuid:organization_id>/leave/": Rule(who_belongs, who_leaves, **OWN),
    "look.css": Rule(everybody),
    r"logo/(?P<name>[0-9a-f]{64}\.webp)": Rule(nowhere, **NONE_THERE),
    "account/": Rule(signed_in, signed_in),
    "account/data/": Rule(signed_in, signed_in_or_not_so),
    # What matters most asks for the password once more: everybody is led there.
    "account/data.json": Rule(signed_in_onwards, signed_in_or_not_so),
    "account/delete/": Rule(signed_in_onwards, signed_in_onwards),
    "account/sign-out-everywhere/": Rule(signed_in_or_not_so, signed_in_onwards),
    "accounts/login/": Rule(signed_out, signed_out),
    "accounts/logout/": Rule(signed_in_else_onwards, onwards),
    "accounts/inactive/": Rule(everybody),
    "accounts/signup/": Rule(signed_out, signed_out),
    "accounts/reauthenticate/": Rule(signed_in, signed_in),
    "accounts/email/": Rule(signed_in, signed_in_onwards),
    "accounts/confirm-email/": Rule(everybody),
    "accounts/confirm-email/(?P<key>[-:\\w]+)/": Rule(everybody, nowhere, **NONE_THERE),
    "accounts/password/change/": Rule(signed_in, signed_in),
    "accounts/password/set/": Rule(signed_in_onwards, signed_in_onwards),
    "accounts/password/reset/": Rule(everybody, everybody),
    "accounts/password/reset/done/": Rule(everybody),
    "accounts/password/reset/key/done/": Rule(everybody),
    "accounts/password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/": Rule(
        everybody, everybody, **NONE_THERE
    ),
    "accounts/login/code/confirm/": Rule(onwards, onwards),
    "accounts/sessions/": Rule(signed_in, signed_in_onwards),
    "accounts/2fa/": Rule(signed_in, signed_in_or_not_so),
    "accounts/2fa/authenticate/": Rule(onwards, onwards),
    "accounts/2fa/reauthenticate/": Rule(signed_in_onwards, signed_in_onwards),
    # Nobody here has a second factor.
    "accounts/2fa/recovery-codes/": Rule(signed_in_or_nothing, signed_in_or_not_so),
    "accounts/2fa/recovery-codes/download/": Rule(signed_in_or_nothing, signed_in_or_nothing),
    "accounts/2fa/recovery-codes/generate/": Rule(signed_in_onwards, signed_in_onwards),
    "accounts/2fa/totp/activate/": Rule(signed_in_onwards, signed_in_onwards),
    "accounts/2fa/totp/deactivate/": Rule(signed_in_or_nothing, signed_in_or_nothing),
    "accounts/2fa/webauthn/": Rule(signed_in, signed_in_or_not_so),
    "accounts/2fa/webauthn/add/": Rule(signed_in_onwards, signed_in_onwards),
    "accounts/2fa/webauthn/keys/<int:pk>/edit/": Rule(signed_in_onwards, signed_in_onwards, **NONE_THERE),
    "accounts/2fa/webauthn/keys/<int:pk>/remove/": Rule(signed_in_onwards, signed_in_onwards, **NONE_THERE),
    "accounts/2fa/webauthn/login/": Rule(onwards, onwards),
    "accounts/2fa/webauthn/reauthenticate/": Rule(signed_in_onwards, signed_in_onwards),
    # Without an identity provider there is no single sign-on to be had.
    "oidc/authenticate/": Rule(nowhere),
    "oidc/callback/": Rule(nowhere),
    "oidc/arrive/": Rule(nowhere),
    "oidc/leave/": Rule(nowhere),
    "oidc/backchannel-logout/": Rule(not_so, nowhere),
    "oidc/connect/": Rule(not_so, signed_in_onwards),
    "oidc/disconnect/": Rule(not_so, signed_in_onwards),
    "healthz": Rule(everybody),
    "readyz": Rule(everybody),
    "metrics": Rule(everybody),  # who asks from this machine; strangers: happening/tests/test_metrics.py
}
# The lists, and an invite, whose link names who invites.
SHOWS_WHAT_IS_PUBLIC = {"", "events/", "events.ics", "invites/<str:token>/"}
OUTSIDERS = ("anonymous", "deactivated", "nobody", "other_admin")


def patterns(resolver=None, prefix="") -> list[str]:
    """Every route of the site but the admin's."""
    found = []
    for entry in (resolver or get_resolver()).url_patterns:
        route = prefix + str(entry.pattern).removeprefix("^").removesuffix("$").removesuffix(r"\Z")
        if isinstance(entry, URLPattern):
            found.append(route)
        elif route != "admin/":
            found += patterns(entry, route)
    return found


def answer_of(response) -> str:
    match response.status_code:
        case 200 | 409 | 422:
            return PAGE
        case 301 | 302 | 303:
            return LOGIN if response["Location"].startswith("/accounts/login/?next=") else ELSEWHERE
        case 403:
            return REFUSED
        case 404:
            return NOTHING
        case 405:
            return NOT_SO
        case other:
            return str(other)


def content_of(response) -> str:
    """Without what differs from one answer to the next: ids, keys, and the form's proof of origin."""
    if getattr(response, "streaming", False):
        return ""  # a calendar's or a picture's answer is no page; a live one never ends
    content = response.content
    text = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", content.decode())
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "", text)


class TestTheTable:
    def test_lists_every_address_of_the_site_and_no_other(self):
        assert set(TABLE) == set(patterns())


@pytest.fixture
def clients(tenants) -> dict[str, Client]:
    """A browser of each of PEOPLE."""
    acme = tenants.acme
    people = {
        "deactivated": tenants.deactivated,
        "nobody": tenants.nobody,
        "attendee": acme.attendee,
        "member": acme.member,
        "organizer": acme.organizer,
        "admin": acme.admin,
        "other_admin": tenants.globex.admin,
        "platform": tenants.platform,
    }
    User.objects.update(password=PASSWORD)
    browsers = {name: Client(raise_request_exception=False) for name in PEOPLE}
    for name, person in people.items():
        person.refresh_from_db()
        browsers[name].force_login(person)
    return browsers


@pytest.fixture
def address(tenants):
    """The address of a thing, by the route: `/bookings/<id>/` for `own`."""
    acme = tenants.acme
    notification = Notification.objects.filter(user=acme.attendee).first()

    def finding(route: str, thing: str) -> str:
        ids = {
            "event_id": {"event": acme.event, "members_event": acme.members_event, "draft": acme.draft},
            "booking_id": {"own": acme.booking},
            "organization_id": {"own": acme.organization},
            "notification_id": {"own": notification},
        }

        def value(found):
            name = found[1] or found[2]
            if name in ids:
                return str(ids[name][thing].pk if thing in ids[name] else MISSING)
            if name == "token":
                return acme.invite_token if thing == "own" else "0" * 43
            if name == "pk":
                return "7"
            return {"name": f"{'0' * 64}.webp", "uidb36": "zzz"}.get(name, "0-0")

        return "/" + re.sub(r"<\w+:(\w+)>|\(\?P<(\w+)>[^)]*\)", value, route)

    return finding


@pytest.mark.parametrize("route", TABLE)
class TestEveryAddress:
    def test_answers_each_as_the_table_says(self, clients, address, tenants, route):
        rule, answers, differing, leaking = TABLE[route], {}, [], []
        for method, person in product(("get", "post"), PEOPLE):
            nothings = set()
            for thing in rule.things:
                facts = {"seats": 1, "idempotency_key": str(uuid4())} if route.endswith("/book/") else {}
                response = getattr(clients[person], method)(address(route, thing), facts)
                expected = getattr(rule, method)(person, thing)
                answer, content = answer_of(response), content_of(response)
                if answer != expected:
                    answers[method, person, thing] = f"{answer}, not {expected}"
                if answer == NOTHING:
                    nothings.add(content)
                is_public = route in SHOWS_WHAT_IS_PUBLIC or thing == "event"
                if person in OUTSIDERS and not is_public and tenants.acme.names(content):
                    leaking.append((method, person, thing))
            if len(nothings) > 1:
                differing.append((method, person))
        assert answers == {}
        assert differing == [], "what is not for them differs from what there is not"
        assert leaking == []
