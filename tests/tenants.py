"""Two tenants whose every text carries a marker of its own, and everybody who may come near them.

Any test may ask for `tenants`. Where the marker of the one shows
on a page of the other, or on one of somebody who has nothing to do with it, a wall has a hole.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.utils import timezone

from bookings import services
from bookings.models import Booking
from events.models import Event
from orgs import invites
from orgs.host_cache import known_hosts
from orgs.models import Invite, Membership, Organization, User
from tests.factories import EventFactory, MembershipFactory, OrganizationFactory, UserFactory


@dataclass(frozen=True)
class Tenant:
    """One of the two. Whatever is written in its rows holds `marker`."""

    marker: str
    host: str
    organization: Organization
    admin: User
    organizer: User
    member: User
    attendee: User  # holds `booking`, and is no member
    event: Event  # public
    members_event: Event
    draft: Event
    booking: Booking
    waiting: Booking  # of the same event, by `member`
    invite: Invite
    invite_token: str

    def names(self, content: bytes | str) -> bool:
        """Whether anything of this tenant shows there."""
        text = content.decode(errors="replace") if isinstance(content, bytes) else content
        return self.marker.lower() in text.lower()


@dataclass(frozen=True)
class Tenants:
    acme: Tenant
    globex: Tenant
    nobody: User  # signed in, with nothing to do with either
    deactivated: User  # was an administrator of Acme
    platform: User

    def __iter__(self):
        return iter((self.acme, self.globex))


@pytest.fixture(autouse=True)
def _unknown_hosts():
    """Whose host it is, is known for some seconds; the next test has other organizations."""
    yield
    known_hosts.known_here.clear()
    cache.delete_pattern("host:*")


@pytest.fixture
def tenants(db) -> Tenants:
    acme, globex = make_tenant("acme", "Zebrafink"), make_tenant("globex", "Quastenflosser")
    deactivated = _person("Zebrafink", "deactivated", status="suspended")
    MembershipFactory(organization=acme.organization, user=deactivated, admin=True)
    return Tenants(
        acme,
        globex,
        nobody=UserFactory(name="Nobody", verified=True),
        deactivated=deactivated,
        platform=UserFactory(name="Root", verified=True, platform_staff=True),
    )


def make_tenant(slug: str, marker: str) -> Tenant:
    """An organization with somebody in each role, events of each kind, and bookings."""
    now = timezone.now()
    organization = OrganizationFactory(
        name=f"{marker} Works", slug=slug, settings={"support_email": f"help@{marker.lower()}.test"}
    )
    people = {name: _person(marker, name) for name in ("admin", "organizer", "member", "attendee")}
    for name, role in [("admin", "orgAdmin"), ("organizer", "organizer"), ("member", "user")]:
        MembershipFactory(organization=organization, user=people[name], role=role)
    events = {
        name: EventFactory(
            org=organization,
            title=f"{marker} {name}",
            description=f"About {marker}",
            place=f"{marker} hall",
            online_url=f"https://{marker.lower()}.example/join",
            total_slots=4,
            **facts,
        )
        for name, facts in [
            ("event", {}),
            ("members_event", {"visibility": Event.Visibility.MEMBERS}),
            ("draft", {"published_at": None}),
        ]
    }
    book = {"event_id": events["event"].pk, "now": now, "or_wait": True}
    booking = services.book(user_id=people["attendee"].pk, seats=2, key=uuid4(), **book)
    waiting = services.book(user_id=people["member"].pk, seats=3, key=uuid4(), **book)
    invite_token = f"the-link-of-{slug}"
    invite = Invite.objects.create(
        organization=organization,
        email=f"guest@{marker.lower()}.test",
        role=Membership.Role.USER,
        token=invites.hash_of(invite_token),
        invited_by=people["admin"],
        expires_at=now + timedelta(days=7),
    )
    return Tenant(
        marker,
        f"{slug}.localhost",
        organization,
        **people,
        **events,
        booking=booking,
        waiting=waiting,
        invite=invite,
        invite_token=invite_token,
    )


def _person(marker: str, name: str, **facts) -> User:
    return UserFactory(name=f"{marker} {name}", email=f"{name}@{marker.lower()}.test", verified=True, **facts)
