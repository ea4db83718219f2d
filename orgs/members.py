"""Who belongs to an organization, and in what role: joining, rising, being suspended, leaving.

Every change takes the organization's row as its lock (`Organization.objects.lock`) and reads the rights of
whoever asks under it, so that somebody who has just lost a right cannot use it. Triggers write the
history, naming whom `name_actor` names, and hold the last rule again: an organization keeps an
administrator. The person is told by mail, in the same transaction.

`actor_id` is who asks; None is the platform itself (commands, a proven mail domain), which may everything.
"""

from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.db.models import QuerySet

from orgs import membership_mail, roles, standing_news
from orgs.errors import FollowsKeycloak, LastAdministrator, MemberSuspended, NotAllowed
from orgs.models import Membership, Organization, User
from orgs.models.permissions import validate_permissions
from orgs.roles import ALL, Right


def grant_role(
    *, membership_id: UUID, role: str, actor_id: UUID | None, now: datetime, permissions: dict | None = None
) -> Membership:
    """Give a member this role with these flags (none unless given), instead of what they had.

    Raises:
        Membership.DoesNotExist, ValidationError (unknown flags), NotAllowed (nobody gives, or takes, more
        than they have), LastAdministrator, FollowsKeycloak.
    """
    permissions = permissions or {}
    validate_permissions(permissions)
    with _changing(membership_id, actor_id=actor_id) as (membership, rights):
        if (membership.role, membership.permissions) == (role, permissions):
            return membership
        if not roles.may_grant(rights, role, permissions):
            raise NotAllowed
        if role != Membership.Role.ORG_ADMIN:
            _ensure_another_administrator(membership)
        membership.role, membership.permissions = role, permissions
        membership.save(update_fields=["role", "permissions"])
        membership_mail.tell_of_role(membership, now=now)
    return membership


def suspend(*, membership_id: UUID, actor_id: UUID | None, now: datetime) -> Membership:
    """Take all rights from a member at once, for the time being; suspending twice changes nothing.

    Raises:
        Membership.DoesNotExist, NotAllowed, LastAdministrator, FollowsKeycloak.
    """
    with _changing(membership_id, actor_id=actor_id) as (membership, _rights):
        if membership.is_active:
            _ensure_another_administrator(membership)
            membership.status = Membership.Status.SUSPENDED
            membership.save(update_fields=["status"])
            membership_mail.tell_of_suspension(membership, now=now)
    return membership


def reinstate(*, membership_id: UUID, actor_id: UUID | None, now: datetime) -> Membership:
    """Give a suspended member back what they had.

    Raises:
        Membership.DoesNotExist, NotAllowed, FollowsKeycloak.
    """
    with _changing(membership_id, actor_id=actor_id) as (membership, _rights):
        if not membership.is_active:
            membership.status = Membership.Status.ACTIVE
            membership.save(update_fields=["status"])
            membership_mail.tell_of_role(membership, now=now)
    return membership


def remove(*, membership_id: UUID, actor_id: UUID | None, now: datetime) -> None:
    """End a membership; what the person booked stays.

    Raises:
        Membership.DoesNotExist, NotAllowed, LastAdministrator, FollowsKeycloak.
    """
    with _changing(membership_id, actor_id=actor_id) as (membership, _rights):
        _ensure_another_administrator(membership)
        membership_mail.tell_of_end(membership, now=now)
        end(membership)


def leave(*, organization_id: UUID, user_id: UUID) -> None:
    """End one's own membership; leaving where one is no member changes nothing.

    Raises:
        LastAdministrator.
    """
    with transaction.atomic(durable=True):
        name_actor(user_id)
        Organization.objects.lock(organization_id)
        membership = Membership.objects.filter(organization_id=organization_id, user_id=user_id).first()
        if membership:
            _ensure_another_administrator(membership)
            standing_news.changed(user_id)
            end(membership)


def join(
    *, organization_id: UUID, user_id: UUID, role: str, actor_id: UUID | None, now: datetime
) -> Membership:
    """Make a person a member; who is one already keeps a role that is as good or better.

    Raises:
        Organization.DoesNotExist, NotAllowed, MemberSuspended.
    """
    with transaction.atomic(durable=True):
        name_actor(actor_id)
        organization = Organization.objects.lock(organization_id)
        if not roles.may_grant(rights_of(actor_id, organization_id), role, {}):
            raise NotAllowed
        return admit(organization, user_id=user_id, role=role, now=now)


def admit(organization: Organization, *, user_id: UUID, role: str, now: datetime) -> Membership:
    """What `join` does once it is known to be allowed; in the caller's transaction, the organization locked.

    Raises:
        MemberSuspended.
    """
    membership = (
        Membership.objects.select_related("user", "organization")
        .filter(organization=organization, user_id=user_id)
        .first()
    )
    if membership is None:
        membership = Membership.objects.create(organization=organization, user_id=user_id, role=role)
        membership_mail.tell_of_role(membership, now=now)
    elif not membership.is_active:
        raise MemberSuspended
    elif not roles.may_grant(roles.rights_of(membership.role, membership.permissions), role, {}):
        membership.role = role
        membership.save(update_fields=["role"])
        membership_mail.tell_of_role(membership, now=now)
    return membership


def end(membership: Membership) -> None:
    """Delete it, in the caller's transaction. What the admin's log says of it stays, but for the name: when
    the person is erased nothing would lead to those lines any more."""
    about = ContentType.objects.get_for_model(Membership)
    lines = LogEntry.objects.filter(content_type=about, object_id=str(membership.pk))
    lines.update(object_repr=membership.get_role_display())
    membership.delete()


def only_administered_by(user_id: UUID) -> QuerySet[Organization]:
    """The organizations that would have no administrator without this person: to be handed on, or closed,
    before an account is deleted."""
    administrators = Membership.objects.administrators()
    return (
        Organization.objects.exclude(status=Organization.Status.CLOSED)
        .filter(pk__in=administrators.filter(user_id=user_id).values("organization_id"))
        .exclude(pk__in=administrators.exclude(user_id=user_id).values("organization_id"))
    )


def name_actor(actor_id: UUID | None) -> None:
    """Say who does what this transaction does to memberships, for their history."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('happening.actor', %s, true)", [str(actor_id or "")])


@contextmanager
def _changing(membership_id: UUID, *, actor_id: UUID | None):
    """A membership to be changed, its organization locked, and the rights of whoever asks; who has less than
    the member may not touch them."""
    with transaction.atomic(durable=True):
        name_actor(actor_id)
        organization_id = Membership.objects.values_list("organization_id", flat=True).get(pk=membership_id)
        Organization.objects.lock(organization_id)
        membership = Membership.objects.select_related("user", "organization").get(pk=membership_id)
        rights = rights_of(actor_id, organization_id)
        if Right.MANAGE_MEMBERS not in rights or not roles.may_grant(
            rights, membership.role, membership.permissions
        ):
            raise NotAllowed
        if membership.source == Membership.Source.KEYCLOAK:
            raise FollowsKeycloak
        standing_news.changed(membership.user_id)
        yield membership, rights


def rights_of(actor_id: UUID | None, organization_id: UUID) -> frozenset[Right]:
    """What whoever asks may do there now."""
    if actor_id is None:
        return ALL
    return roles.rights_in(User.objects.get(pk=actor_id), organization_id)


def _ensure_another_administrator(membership: Membership) -> None:
    """Before somebody stops being an administrator; the trigger sees to it in any case."""
    administrators = Membership.objects.administrators().filter(organization_id=membership.organization_id)
    binds = membership.is_administrator and membership.user.is_active
    if binds and not administrators.exclude(pk=membership.pk).exists():
        raise LastAdministrator
