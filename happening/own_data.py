"""Everything that is held about a person, over all apps, as they may see and take it along.

Each part is one function in PARTS. A table that leads to people and is in none of them makes a test fail, so
that nothing is held in silence. Secrets that would let others in (hashes, keys, tokens) are named, not shown.
"""

from datetime import datetime

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry

from bookings.models import Booking, BookingHistory, BookingSeat
from notifications.models import Notification, Preference
from orgs.models import AccountMail, Invite, Membership, MembershipHistory, Organization, User


def held_about(person: User, *, now: datetime) -> dict:
    """By part; only what JSON can say."""
    return {"as_of": now.isoformat(), **{name: part(person) for name, part in PARTS.items()}}


def account(person: User) -> dict:
    return {
        "id": str(person.pk),
        "email": person.email,
        "name": person.name,
        "phone": person.phone,
        "status": person.status,
        "settings": person.profile,
        "is_platform_staff": person.is_platform_staff,
        "has_password": person.has_usable_password(),
        "single_sign_on": person.keycloak_id,
        "made_at": _at(person.created_at),
        "changed_at": _at(person.updated_at),
        "last_signed_in_at": _at(person.last_login),
    }


def addresses(person: User) -> list[dict]:
    rows = EmailAddress.objects.filter(user=person).order_by("pk")
    return [{"email": row.email, "confirmed": row.verified, "first": row.primary} for row in rows]


def second_steps(person: User) -> list[dict]:
    rows = Authenticator.objects.filter(user=person).order_by("pk")
    return [
        {
            "kind": row.type,
            "name": row.data.get("name"),
            "added_at": _at(row.created_at),
            "last_used_at": _at(row.last_used_at),
        }
        for row in rows
    ]


def sessions(person: User) -> list[dict]:
    rows = UserSession.objects.filter(user=person).order_by("pk")
    return [{"since": _at(row.created_at), "address": row.ip, "browser": row.user_agent} for row in rows]


def memberships(person: User) -> list[dict]:
    rows = Membership.objects.filter(user=person).select_related("organization").order_by("created_at")
    return [
        {
            "organization": row.organization.name,
            "role": row.role,
            "permissions": row.permissions,
            "status": row.status,
            "source": row.source,
            "since": _at(row.created_at),
        }
        for row in rows
    ]


def membership_history(person: User) -> list[dict]:
    rows = MembershipHistory.objects.filter(user_id=person.pk).order_by("created_at", "id")
    names = dict(Organization.objects.filter(pk__in=rows.values("organization_id")).values_list("pk", "name"))
    return [
        {
            "organization": names.get(row.organization_id),
            "action": row.action,
            "at": _at(row.created_at),
            "details": row.details,
        }
        for row in rows
    ]


def preferences(person: User) -> list[dict]:
    rows = Preference.objects.filter(user=person).order_by("type")
    return [{"messages": row.type, "by_mail": row.by_mail} for row in rows]


def account_mails(person: User) -> list[dict]:
    rows = AccountMail.objects.filter(user=person).order_by("created_at")
    return [
        {"to": row.recipient, "subject": row.subject, "status": row.status, "made_at": _at(row.created_at)}
        for row in rows
    ]


def invites(person: User) -> list[dict]:
    """Those sent to one of the person's confirmed addresses, and those that the person sent."""
    proven = EmailAddress.objects.filter(user=person, verified=True).values("email")
    received = Invite.objects.filter(email__in=proven).select_related("organization")
    sent = Invite.objects.filter(invited_by=person).select_related("organization")
    return [_invite(row, "received") for row in received] + [_invite(row, "sent") for row in sent]


def _invite(row: Invite, which: str) -> dict:
    return {
        "which": which,
        "organization": row.organization.name,
        "role": row.role,
        "status": row.status,
        "made_at": _at(row.created_at),
    }


def bookings(person: User) -> list[dict]:
    seats = {}
    for booking_id, seat_no in BookingSeat.objects.filter(
        booking__user=person, status=BookingSeat.Status.BOOKED
    ).values_list("booking_id", "seat_no"):
        seats.setdefault(booking_id, []).append(seat_no)
    rows = Booking.objects.held_by(person.pk).select_related("event").order_by("created_at")
    return [
        {
            "id": str(row.pk),
            "event": row.event.title,
            "begins_at": _at(row.event.event_date),
            "seats": row.seats,
            "seat_numbers": sorted(seats.get(row.pk, [])),
            "status": row.status,
            "waiting_number": row.waiting_number,
            "made_at": _at(row.created_at),
        }
        for row in rows
    ]


def history(person: User) -> list[dict]:
    rows = BookingHistory.objects.filter(user_id=person.pk).order_by("id")
    return [
        {
            "booking": str(row.booking_id),
            "action": row.action,
            "at": _at(row.created_at),
            "details": row.details,
        }
        for row in rows
    ]


def messages(person: User) -> list[dict]:
    rows = Notification.objects.filter(user=person).order_by("created_at")
    return [
        {
            "type": row.type,
            "status": row.status,
            "facts": row.payload,
            "made_at": _at(row.created_at),
            "read_at": _at(row.read_at),
        }
        for row in rows
    ]


def changes_as_staff(person: User) -> list[dict]:
    rows = LogEntry.objects.filter(user=person).order_by("pk")
    return [{"at": _at(row.action_time), "what": str(row)} for row in rows]


def _at(moment: datetime | None) -> str | None:
    return moment and moment.isoformat()


PARTS = {
    "account": account,
    "addresses": addresses,
    "second_steps": second_steps,
    "sessions": sessions,
    "memberships": memberships,
    "membership_history": membership_history,
    "invites": invites,
    "bookings": bookings,
    "booking_history": history,
    "messages": messages,
    "preferences": preferences,
    "account_mails": account_mails,
    "changes_as_staff": changes_as_staff,
}
