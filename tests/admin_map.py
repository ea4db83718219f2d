"""The admin as a map: every page, action, inline and field with choices, who may use it, who comes to try.

`tests.test_admin_matrix` holds it against the resolver and the registry.
"""

import re
from functools import cache
from uuid import uuid4

from django.contrib.admin import site
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse
from django.utils import timezone

from bookings.models import Booking, BookingHistory, BookingSeat
from events.models import Event
from notifications.models import Notification
from orgs import account_mail
from orgs.models import AccountMail, Invite, KeycloakGroup, Membership, Organization, User
from tests.factories import MembershipFactory
from tests.tenants import Tenant

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"

# Who comes

OUTSIDE = {"anonymous", "attendee", "member", "suspended", "deactivated"}
ORGANIZERS = {"organizer", "admin", "platform"}
ADMINS = {"admin", "platform"}
PLATFORM = {"platform"}
NOBODY: set[str] = set()
INSIDE = ORGANIZERS
EVERYBODY = [*sorted(OUTSIDE), "organizer", "admin", "platform"]

# What is there: who may, by the name of the page

SITE = {
    "index": INSIDE,
    "app_list": INSIDE,
    "login": NOBODY,
    "logout": INSIDE,
    "password_change": INSIDE,
    "autocomplete": INSIDE,
    "jsi18n": INSIDE,
    "switch": INSIDE,
    "notifications_figures": PLATFORM,
    "seats_proof": PLATFORM,
    "upkeep": PLATFORM,
}
LOOKED_AT = {
    "orgs_organization": ADMINS,
    "orgs_membership": ADMINS,
    "orgs_invite": ADMINS,
    "orgs_user": PLATFORM,
    "orgs_keycloakgroup": PLATFORM,
    "orgs_accountmail": ADMINS,
    "events_event": ORGANIZERS,
    "bookings_booking": ORGANIZERS,
    "bookings_bookingseat": ORGANIZERS,
    "bookings_bookinghistory": ORGANIZERS,
    "notifications_notification": ORGANIZERS,
}
ADDED = {
    "orgs_organization": PLATFORM,
    "orgs_keycloakgroup": PLATFORM,
    "orgs_invite": ADMINS,
    "events_event": ORGANIZERS,
}
DELETED = {"orgs_keycloakgroup": PLATFORM}
READ_ONLY = {f"{model}_change" for model in LOOKED_AT} - {
    *["orgs_organization_change", "orgs_user_change", "orgs_keycloakgroup_change", "events_event_change"],
}
STEPS = {
    "orgs_organization_suspend": PLATFORM,
    "orgs_organization_reopen": PLATFORM,
    "orgs_organization_close": PLATFORM,
    "orgs_membership_role": ADMINS,
    "orgs_membership_suspend": ADMINS,
    "orgs_membership_reinstate": ADMINS,
    "orgs_membership_remove": ADMINS,
    "orgs_invite_resend": ADMINS,
    "orgs_invite_revoke": ADMINS,
    "events_event_publish": ORGANIZERS,
    "events_event_preview": ORGANIZERS,
    "events_event_move": ORGANIZERS,
    "events_event_capacity": ORGANIZERS,
    "events_event_layout": ORGANIZERS,
    "events_event_book": ORGANIZERS,
    "events_event_attendees": ORGANIZERS,
    "events_event_copy": ORGANIZERS,
    "events_event_cancel": ORGANIZERS,
    "bookings_booking_promote": ORGANIZERS,
    "bookings_booking_seats": ORGANIZERS,
    "bookings_booking_resend": ORGANIZERS,
    "bookings_booking_cancel": ORGANIZERS,
}
ACTIONS = {
    ("orgs_accountmail", "send_again"): ADMINS,
    ("events_event", "publish_events"): ORGANIZERS,
    ("bookings_booking", "cancel_bookings"): ORGANIZERS,
    ("notifications_notification", "try_again"): ORGANIZERS,
}
ALSO = {"autocomplete": {403}}  # asked for nothing, it completes nothing
INLINES = {(Booking, BookingSeat)}
RELATED_CHOICES = {
    (Event, "org"),
    (KeycloakGroup, "organization"),
}  # fields of forms with rows to choose from

MISSING = uuid4()
UUID_IN_TEXT = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="[^"]*"')


def expected_pages() -> dict[str, set[str]]:
    pages = dict(SITE) | STEPS
    for model, who in LOOKED_AT.items():
        pages[f"{model}_changelist"] = pages[f"{model}_change"] = pages[f"{model}_history"] = who
        pages[f"{model}_add"] = ADDED.get(model, NOBODY)
        pages[f"{model}_delete"] = DELETED.get(model, NOBODY)
    return pages


@cache
def admin_patterns() -> tuple[URLPattern, ...]:
    [admin] = [part for part in get_resolver().url_patterns if getattr(part, "namespace", "") == "admin"]

    def walk(parts):
        for part in parts:
            yield from walk(part.url_patterns) if hasattr(part, "url_patterns") else [part]

    return tuple(walk(admin.url_patterns))


def names() -> list[str]:
    return sorted({pattern.name for pattern in admin_patterns() if pattern.name})


def model_of(name: str):
    for model in site._registry:
        if name.startswith(f"{model._meta.app_label}_{model._meta.model_name}_"):
            return model
    return None


def takes_a_row(name: str) -> bool:
    return bool(model_of(name)) and not name.endswith(("_changelist", "_add"))


def address(name: str, pk=None) -> str:
    if name == "app_list":
        return reverse("admin:app_list", args=["bookings"])
    return reverse(f"admin:{name}", args=[pk] if takes_a_row(name) else [])


def asks(role: str, who: set[str]) -> bool:
    """Whether somebody tries a page in every way: the administrator, and the platform where they may not; the
    others would get the same page."""
    return role == "admin" if "admin" in who else role in who


class Visitor:
    """Somebody of the first tenant (or nobody), who notices everything that is shown to them."""

    def __init__(self, role, tenants):
        self.role, self.tenants = role, tenants
        self.own, self.foreign = tenants
        self.client = Client(raise_request_exception=True)
        self.who = self.person()
        if self.who:
            self.client.force_login(self.who, backend=BACKEND)

    def person(self) -> User | None:
        match self.role:
            case "anonymous":
                return None
            case "platform" | "deactivated" as role:
                return getattr(self.tenants, role)
            case "suspended":
                who = MembershipFactory(organization=self.own.organization, admin=True, status="suspended")
                return who.user
            case role:
                return getattr(self.own, role)

    def ask(self, method, url, data=None):
        answer = getattr(self.client, method)(url, data or {})
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        answer.seen_page = TOKEN.sub("", body.decode(errors="replace"))
        answer.seen = answer.seen_page + str(answer.headers)
        assert answer.status_code < 500
        if self.role != "platform":
            assert not self.foreign.names(answer.seen), f"{self.role}: {method} {url} tells"
        return answer

    def row(self, name, tenant):
        return row_of(tenant, model_of(name))


def state_of(tenant) -> list:
    """Everything of a tenant that somebody could have changed."""
    rows = []
    for model, path in [
        *[(Organization, "pk"), (Membership, "organization"), (Invite, "organization"), (Event, "org")],
        *[(Booking, "event__org"), (BookingSeat, "event__org"), (Notification, "org_id")],
    ]:
        of_tenant = model.objects.filter(**{path: tenant.organization.pk})
        rows.append((model.__name__, sorted(map(str, of_tenant.values_list()))))
    return rows


def furnish(tenant: Tenant) -> None:
    """A plan, errors of delivery, a group, a mail and a line of the log, all of them marked."""
    KeycloakGroup.objects.create(organization=tenant.organization, path=f"/{tenant.marker}/organizers")
    rows = [{"label": f"{tenant.marker} row", "seats": 4}]
    plan = {"sections": [{"name": f"{tenant.marker} stalls", "rows": rows}]}
    Event.objects.filter(pk=tenant.event.pk).update(layout=plan)
    Notification.objects.filter(org_id=tenant.organization.pk).update(last_error=f"{tenant.marker} refused")
    account_mail.post(
        kind="invite",
        to=tenant.invite.email,
        subject=f"{tenant.marker} invites you",
        text=tenant.marker,
        organization_id=tenant.organization.pk,
        now=timezone.now(),
    )
    LogEntry.objects.create(
        user_id=tenant.admin.pk,
        content_type=ContentType.objects.get_for_model(Event),
        object_id=str(tenant.event.pk),
        object_repr=f"{tenant.marker} event",
        action_flag=CHANGE,
        change_message=f"{tenant.marker} changed it",
    )


def row_of(tenant: Tenant, model):
    """One of the tenant's own rows of a model."""
    of_booking = {"booking_id": tenant.booking.pk}
    found = {
        Organization: lambda: tenant.organization,
        User: lambda: tenant.attendee,
        Membership: lambda: Membership(
            pk=Membership.objects.filter(organization=tenant.organization, role="user")
            .values_list("pk", flat=True)
            .first()
        ),
        Invite: lambda: tenant.invite,
        KeycloakGroup: lambda: KeycloakGroup.objects.filter(organization=tenant.organization).first(),
        AccountMail: lambda: AccountMail.objects.filter(organization=tenant.organization).first(),
        Event: lambda: tenant.event,
        Booking: lambda: tenant.booking,
        BookingSeat: lambda: BookingSeat.objects.filter(**of_booking).first(),
        BookingHistory: lambda: BookingHistory.objects.filter(**of_booking).first(),
        Notification: lambda: Notification.objects.filter(**of_booking).first(),
    }
    return found[model]()
