"""Invites: an offer of a role to one address, taken up once by whoever proves to have that address.

The link in the mail holds 256 random bits, the table their SHA-256. Taking it up is one UPDATE that
succeeds at most once, in one transaction with the membership. The right to invite is asked for when the
invite is made *and* when it is taken up: an invite of somebody who may not invite any more is worth nothing,
and the role is the one that stands there then. An address has one pending invite of an organization: a
new one, or sending it again, ends the link before it.

`actor_id` None is the platform itself (`manage.py invite`).
"""

import re
from datetime import datetime, timedelta
from hashlib import sha256
from secrets import token_urlsafe
from uuid import UUID

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils.translation import gettext as _

from orgs import membership_mail, roles
from orgs.errors import InviteForSomebodyElse, InviteGone, MemberAlready, NotAllowed
from orgs.links import platform_address
from orgs.members import admit, name_actor, rights_of
from orgs.models import Invite, Membership, Organization, User
from orgs.models.fields import ADDRESS
from orgs.roles import Right


def invite(*, organization_id: UUID, email: str, role: str, actor_id: UUID | None, now: datetime) -> Invite:
    """Invite an address; an earlier invite of it is revoked.

    Raises:
        Organization.DoesNotExist, NotAllowed, MemberAlready, ValidationError (no address, or no such role).
    """
    with transaction.atomic(durable=True):
        organization = Organization.objects.lock(organization_id)
        _ensure_allowed(actor_id, organization, role)
        email = _address(email)
        if Membership.objects.filter(organization=organization, user__email__iexact=email).exists():
            raise MemberAlready(email)
        pending = Invite.objects.pending().filter(organization=organization)
        pending.alias(written=Lower("email")).filter(written=email).update(status=Invite.Status.REVOKED)
        made = Invite(
            organization=organization, email=email, role=role, invited_by_id=actor_id, created_at=now
        )
        link = _renew(made, now=now)
        made.full_clean(
            exclude=["organization", "invited_by"], validate_unique=False, validate_constraints=False
        )
        made.save(force_insert=True)
        membership_mail.invite(made, link=link, now=now)
    return made


def resend(*, invite_id: UUID, actor_id: UUID | None, now: datetime) -> Invite:
    """Send a pending or expired invite once more, with a new link and a new end; the link before it ends.

    Raises:
        Invite.DoesNotExist, NotAllowed, InviteGone.
    """
    with transaction.atomic(durable=True):
        renewed = _locked(invite_id, actor_id=actor_id)
        if renewed.status not in (Invite.Status.PENDING, Invite.Status.EXPIRED):
            raise InviteGone
        link = _renew(renewed, now=now)
        renewed.invited_by_id, renewed.status = actor_id, Invite.Status.PENDING
        renewed.save(update_fields=["token", "expires_at", "invited_by", "status"])
        membership_mail.invite(renewed, link=link, now=now)
    return renewed


def revoke(*, invite_id: UUID, actor_id: UUID | None) -> Invite:
    """Take a pending invite back; one that is done with stays as it is.

    Raises:
        Invite.DoesNotExist, NotAllowed.
    """
    with transaction.atomic(durable=True):
        revoked = _locked(invite_id, actor_id=actor_id)
        if revoked.status == Invite.Status.PENDING:
            revoked.status = Invite.Status.REVOKED
            revoked.save(update_fields=["status"])
    return revoked


def hash_of(token: str) -> str:
    """What the table knows of a link."""
    return sha256(token.encode()).hexdigest()


def pending(token_hash: str, *, now: datetime) -> Invite:
    """The invite that a link leads to, with its organization.

    Raises:
        InviteGone: there is none, or none any more.
    """
    found = (
        Invite.objects.pending()
        .select_related("organization")
        .filter(token=token_hash, expires_at__gt=now, organization__status=Organization.Status.ACTIVE)
        .first()
    )
    if found is None:
        raise InviteGone
    return found


def ensure_for(invite: Invite, user: User) -> None:
    """Raises InviteForSomebodyElse unless the person has proven to have the address that was invited."""
    if invite.email.lower() not in _proven_addresses(user.pk):
        raise InviteForSomebodyElse(invite.email)


def accept(*, token_hash: str, user_id: UUID, now: datetime) -> Membership:
    """Take an invite up; a second click finds the membership that the first one made.

    Raises:
        InviteGone, InviteForSomebodyElse, MemberSuspended.
    """
    with transaction.atomic(durable=True):
        user = User.objects.get(pk=user_id)
        offered = Invite.objects.filter(token=token_hash).first()
        if offered is None or not user.is_active:
            raise InviteGone
        organization = Organization.objects.lock(offered.organization_id)
        ensure_for(offered, user)
        taken = _take(token_hash, now=now)
        if taken is None:
            return _membership_made_before(offered, user)
        role, inviter_id = taken
        if not organization.is_active or not _may_still_invite(inviter_id, organization, role):
            raise InviteGone
        name_actor(inviter_id or user_id)
        return admit(organization, user_id=user.pk, role=role, now=now)


def run_out(*, now: datetime) -> QuerySet[Invite]:
    """The invites that have run out and are not marked yet."""
    return Invite.objects.pending().filter(expires_at__lte=now)


def expire(*, now: datetime) -> int:
    """Mark what has run out; returns how many."""
    return run_out(now=now).update(status=Invite.Status.EXPIRED)


def _take(token_hash: str, *, now: datetime) -> tuple[str, UUID | None] | None:
    """Role and inviter of the invite, for the one who comes first; None for everybody after."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE organization_invites SET status = 'accepted'
            WHERE token = %s AND status = 'pending' AND expires_at > %s
            RETURNING role, invited_by
            """,
            [token_hash, now],
        )
        return cursor.fetchone()


def _membership_made_before(offered: Invite, user: User) -> Membership:
    accepted = Invite.objects.filter(pk=offered.pk, status=Invite.Status.ACCEPTED).exists()
    made = user.memberships.active().filter(organization_id=offered.organization_id).first()
    if not (accepted and made):
        raise InviteGone
    return made


def _address(written: str) -> str:
    address = written.strip().lower()
    if not re.fullmatch(ADDRESS, address) or len(address) > Invite._meta.get_field("email").max_length:
        raise ValidationError(_("Write an address that mail can be sent to, such as ada@example.org."))
    return address


def _locked(invite_id: UUID, *, actor_id: UUID | None) -> Invite:
    organization_id = Invite.objects.values_list("organization_id", flat=True).get(pk=invite_id)
    organization = Organization.objects.lock(organization_id)
    found = Invite.objects.select_related("organization").get(pk=invite_id)
    _ensure_allowed(actor_id, organization, found.role)
    return found


def _ensure_allowed(actor_id: UUID | None, organization: Organization, role: str) -> None:
    if not organization.is_active or not _may_still_invite(actor_id, organization, role):
        raise NotAllowed


def _may_still_invite(actor_id: UUID | None, organization: Organization, role: str) -> bool:
    if role not in Membership.Role.values:
        raise ValidationError(_("There is no role “%(role)s”."), params={"role": role})
    rights = rights_of(actor_id, organization.pk)
    return Right.INVITE in rights and roles.may_grant(rights, role, {})


def _renew(renewed: Invite, *, now: datetime) -> str:
    """Give the invite a new token and end; returns the link."""
    token = token_urlsafe(32)
    renewed.token = hash_of(token)
    renewed.expires_at = now + timedelta(days=settings.INVITE_DAYS)
    return platform_address(reverse("invite", args=[token]))


def _proven_addresses(user_id: UUID) -> set[str]:
    addresses = EmailAddress.objects.filter(user_id=user_id, verified=True)
    return {address.lower() for address in addresses.values_list("email", flat=True)}
