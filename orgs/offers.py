"""Membership that is offered: an organization proves a mail domain, and whoever has a verified address in
it may join as a member, by a button. Never in another role, and nobody who was suspended."""

from datetime import datetime
from functools import reduce
from operator import or_
from uuid import UUID

from allauth.account.models import EmailAddress
from django.db.models import Q, QuerySet

from orgs import members
from orgs.errors import NotAllowed
from orgs.models import Membership, Organization, User


def offered_to(user: User) -> QuerySet[Organization]:
    """The organizations that the person may join."""
    addresses = EmailAddress.objects.filter(user_id=user.pk, verified=True).values_list("email", flat=True)
    domains = {address.rsplit("@", 1)[1].lower() for address in addresses}
    if not domains:
        return Organization.objects.none()
    proven = reduce(or_, (Q(settings__mail_domains__contains=[domain]) for domain in domains))
    return (
        Organization.objects.active()
        .filter(proven)
        .exclude(pk__in=Membership.objects.filter(user_id=user.pk).values("organization_id"))
        .order_by("name")
    )


def take_up(*, organization_id: UUID, user: User, now: datetime) -> Membership:
    """Join as a member.

    Raises:
        NotAllowed: it is not offered to this person.
    """
    if not offered_to(user).filter(pk=organization_id).exists():
        raise NotAllowed
    return members.join(
        organization_id=organization_id,
        user_id=user.pk,
        role=Membership.Role.USER,
        actor_id=None,
        now=now,
    )
