"""Making the demo: people first, then event after event, each told from its publication to today."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.db import connection

from bookings import services
from events.models import Event
from events.services import advance, create_event
from happening.demo import people
from happening.demo.identity.people import ORGANIZERS, subject_of
from happening.demo.programme import Planned, programme
from happening.demo.stage import Stage
from happening.demo.stories import STORIES
from notifications import preferences
from orgs.models import KeycloakGroup, Membership, Organization, User

ORGANIZATIONS = {"acme": "Acme Kulturhaus", "globex": "Globex Open Campus"}
LOCK = 0x68617070  # any number that nobody else takes


class DemoRefused(Exception):
    """The demo cannot be made here; the message says why."""


def make(*, now: datetime, tell: Callable[[str], None]) -> bool:
    """Make the demo, or what is missing of it; returns False where all of it is there.

    Raises:
        DemoRefused: an organization of that name is somebody's own, or another process makes the demo.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            raise DemoRefused("The demo data is being made by another process right now.")
        # Over a thousand small transactions: none need reach the disk before the next begins, because what a
        # crash of the server takes away the next run makes again.
        cursor.execute("SET synchronous_commit = off")
    try:
        return _make(now=now, tell=tell)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET synchronous_commit")
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def _make(*, now: datetime, tell: Callable[[str], None]) -> bool:
    acme = _organization("acme", now=now)
    if acme.settings["demo"].get("is_complete"):
        return False
    made_at = datetime.fromisoformat(acme.settings["demo"]["made_at"])
    organizations = {"acme": acme, "globex": _organization("globex", now=made_at)}
    cast = {email: _account(email, name) for email, name in people.ACCOUNTS.items()}
    guests = [_guest(name, email) for name, email in people.guests()]
    _memberships(organizations, cast, guests)
    KeycloakGroup.objects.get_or_create(
        path=ORGANIZERS, organization=acme, defaults={"role": Membership.Role.ORGANIZER}
    )
    tell(f"{len(cast) + len(guests)} people.")
    for slug, org in organizations.items():
        planned = programme(slug, made_at=made_at)
        members = guests[people.MEMBERS[slug]]
        for number, event in enumerate(planned, start=1):
            _tell_event(event, org, cast, members if event.crowd.get("members") else guests)
            if number % 5 == 0 or number == len(planned):
                tell(f"{org}: {number} of {len(planned)} events.")
    services.close_waitlists(now=made_at)
    advance(now=made_at)
    services.run_jobs(now=made_at)
    acme.settings["demo"]["is_complete"] = True
    acme.save(update_fields=["settings"])
    return True


def _organization(slug: str, *, now: datetime) -> Organization:
    """The organization, marked as the demo's; the mark of the first keeps the moment that dates are from."""
    mark = {"demo": {"made_at": now.replace(microsecond=0).isoformat()}}
    org, _ = Organization.objects.get_or_create(
        slug=slug, defaults={"name": ORGANIZATIONS[slug], "settings": mark}
    )
    if "demo" not in org.settings:
        raise DemoRefused(f"There is an organization “{slug}” already that is not the demo's.")
    return org


def _account(email: str, name: str) -> User:
    """Somebody who can sign in: with the password of all and a verified address, or by single sign-on."""
    person = User.objects.filter(email=email).first()
    if person is None:
        person = User(email=email, name=name, password=_password())
        person.is_platform_staff = email == people.PLATFORM_STAFF
        person.save()
    if person.keycloak_id is None:
        person.keycloak_id = subject_of(email)
        person.save(update_fields=["keycloak_id"])
    EmailAddress.objects.get_or_create(user=person, email=email, defaults={"verified": True, "primary": True})
    return person


def _guest(name: str, email: str) -> User:
    """Somebody invented, who is told things in an inbox that nobody opens; nothing is mailed to them."""
    guest = User.objects.filter(email=email).first() or User.objects.create_user(email, None, name=name)
    preferences.keep_to_inbox(user_id=guest.pk)
    return guest


@cache
def _password() -> str:
    """Hashed once for all accounts: hashing is slow on purpose."""
    return make_password(people.PASSWORD)


def _memberships(organizations: dict[str, Organization], cast: dict[str, User], guests: list[User]) -> None:
    roles = [(cast[email], slug, role) for email, (slug, role) in people.ROLES.items()]
    for slug, who in people.MEMBERS.items():
        roles += [(guest, slug, Membership.Role.USER) for guest in guests[who]]
    for person, slug, role in roles:
        Membership.objects.get_or_create(
            organization=organizations[slug], user=person, defaults={"role": role}
        )


def _tell_event(planned: Planned, org: Organization, cast: dict[str, User], guests: list[User]) -> None:
    event = Event.objects.filter(org=org, source_uid=planned.key).first() or create_event(
        org_id=org.pk, now=planned.opened_at, published=not planned.is_draft, **facts_at_first(planned)
    )
    if not planned.is_draft:
        STORIES[planned.story](Stage(planned, event, cast, guests))
        if planned.starts_at < planned.made_at:
            services.close_waitlist(event_id=event.pk, now=planned.starts_at)


def facts_at_first(planned: Planned) -> dict:
    """As it was announced: what was moved later began a day earlier, in a smaller room."""
    facts = planned.facts()
    if planned.story == "moved":
        day = timedelta(days=1)
        facts |= {
            "event_date": facts["event_date"] - day,
            "ends_at": facts["ends_at"] - day,
            "place": "Rehearsal room, Acme Kulturhaus, Wilhelminenhofstraße 76, 12459 Berlin",
        }
    return facts
