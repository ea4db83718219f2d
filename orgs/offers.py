"""Membership that is offered: an organization proves a mail domain, and whoever has a verified address in
it may join as a member, by a button. Never in another role, and nobody who was suspended.

Signing in looks for offers and notes them in the session, so that the list of events can show them without
asking the database. Who says "not now" is not asked there again; the account's page keeps offering.
"""

from datetime import datetime
from functools import reduce
from operator import or_
from uuid import UUID

from allauth.account.models import EmailAddress
from django.db import transaction
from django.db.models import Q, QuerySet

from orgs import members
from orgs.errors import NotAllowed
from orgs.models import Membership, Organization, User

NOTED = "membership_offers"  # in the session: those to show on the list of events
NOT_NOW = "offers_put_off"  # in the profile: ids of organizations
MOST, KEPT = 3, 50


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


def note(request, user: User) -> None:
    """Remember, for the session that has just begun, what to offer."""
    open_offers = offered_to(user).exclude(pk__in=user.profile.get(NOT_NOW, ()))
    if found := [{"id": str(pk), "name": name} for pk, name in open_offers.values_list("pk", "name")[:MOST]]:
        request.session[NOTED] = found


def settle(request, organization_id: UUID) -> None:
    """Show this offer no more in this session."""
    left = [offer for offer in request.session.get(NOTED, ()) if offer["id"] != str(organization_id)]
    if left:
        request.session[NOTED] = left
    else:
        request.session.pop(NOTED, None)


def put_off(*, organization_id: UUID, user: User) -> None:
    """Not now, and not at each sign-in.

    Raises:
        NotAllowed: it is not offered to this person.
    """
    if not offered_to(user).filter(pk=organization_id).exists():
        raise NotAllowed
    with transaction.atomic(durable=True):
        person = User.objects.select_for_update(no_key=True, of=("self",)).get(pk=user.pk)
        person.profile[NOT_NOW] = sorted({*person.profile.get(NOT_NOW, ()), str(organization_id)})[-KEPT:]
        person.save(update_fields=["profile"])


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
