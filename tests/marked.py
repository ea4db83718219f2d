"""Two tenants whose every text carries a marker, to see whether one is ever shown anything of the other."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone

from bookings import services
from bookings.models import Booking, BookingHistory, BookingSeat
from events.models import Event
from notifications.models import Notification
from orgs import account_mail
from orgs.models import AccountMail, Invite, KeycloakGroup, Membership, Organization, User
from tests.factories import EventFactory, MembershipFactory, OrganizationFactory, UserFactory

MARKERS = ("zqxamber", "zqxcobalt")


@dataclass(frozen=True)
class Tenant:
    marker: str
    organization: Organization
    admin: Membership
    organizer: Membership
    member: Membership
    suspended: Membership
    deactivated: Membership
    invite: Invite
    event: Event
    draft: Event
    booking: Booking  # confirmed, by `guest`
    waiting: Booking
    guest: User

    def row_of(self, model):
        """One of the tenant's own rows of a model."""
        return {
            Organization: self.organization,
            User: self.guest,
            Membership: self.member,
            Invite: self.invite,
            KeycloakGroup: KeycloakGroup.objects.filter(organization=self.organization).first(),
            AccountMail: AccountMail.objects.filter(organization=self.organization).first(),
            Event: self.event,
            Booking: self.booking,
            BookingSeat: self.booking.booked_seats.first(),
            BookingHistory: BookingHistory.objects.filter(booking_id=self.booking.pk).first(),
            Notification: Notification.objects.filter(booking_id=self.booking.pk).first(),
        }[model]


def make_tenant(marker: str) -> Tenant:
    organization = OrganizationFactory(name=f"{marker} house", slug=marker, domain=f"{marker}.example")
    for path in (f"/{marker}/one", f"/{marker}/another"):  # one may be removed by a test that may
        KeycloakGroup.objects.create(organization=organization, path=path, role=Membership.Role.USER)

    def person(name):
        return UserFactory(name=f"{marker} {name}", email=f"{name}@{marker}.example")

    def membership(name, role, *, status="active"):
        return MembershipFactory(organization=organization, user=person(name), role=role, status=status)

    plan = {
        "sections": [
            {
                "name": f"{marker} stalls",
                "rows": [{"label": f"{marker}{letter}", "seats": 5} for letter in "AB"],
            }
        ]
    }
    words = {
        "org": organization,
        "description": f"{marker} description",
        "place": f"{marker} hall",
        "online_url": f"https://{marker}.example/join",
        "layout": plan,
    }
    event = EventFactory(title=f"{marker} evening", total_slots=10, **words)
    guest = person("guest")
    now = timezone.now()

    def book(user, seats):
        return services.book(
            event_id=event.pk, user_id=user.pk, seats=seats, or_wait=True, key=uuid4(), now=now
        )

    tenant = Tenant(
        marker=marker,
        organization=organization,
        admin=membership("admin", "orgAdmin"),
        organizer=membership("organizer", "organizer"),
        member=membership("member", "user"),
        suspended=membership("suspended", "orgAdmin", status="suspended"),
        deactivated=membership("deactivated", "orgAdmin"),
        invite=Invite.objects.create(
            organization=organization,
            email=f"invited@{marker}.example",
            token=uuid4().hex,
            expires_at=now + timedelta(days=7),
        ),
        event=event,
        draft=EventFactory(title=f"{marker} draft", draft=True, **{**words, "layout": None}),
        booking=book(guest, 9),
        waiting=book(person("waiter"), 3),
        guest=guest,
    )
    User.objects.filter(pk=tenant.deactivated.user_id).update(status="suspended")
    Notification.objects.filter(org_id=organization.pk).update(last_error=f"{marker} refused it")
    account_mail.post(
        kind="invite",
        to=tenant.invite.email,
        subject=f"{marker} invites you",
        text=f"{marker} text",
        organization_id=organization.pk,
        now=now,
    )
    LogEntry.objects.create(
        user_id=tenant.admin.user_id,
        content_type=ContentType.objects.get_for_model(Event),
        object_id=str(event.pk),
        object_repr=f"{marker} evening",
        action_flag=CHANGE,
        change_message=f"{marker} changed it",
    )
    return tenant


def make_tenants() -> tuple[Tenant, Tenant]:
    first, second = MARKERS
    return make_tenant(first), make_tenant(second)
