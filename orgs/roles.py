"""What each role may do in an organization: the one place that says so.

Admin, views, services and tests ask here, on each request anew, so that a change of a role, of a
membership, of a person or of an organization acts at once. Nothing is kept but on the request itself.

- An administrator may everything, whatever `permissions` say; for the others these grant or deny single
  flags on top of the role, and a denial wins.
- A suspended membership, a suspended or erased person: nothing.
- In a suspended organization one may still look, in a closed one nothing: the platform's staff wind it up.
- Platform staff may everything everywhere.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from django.db.models import QuerySet

from orgs.models import Membership, Organization
from orgs.models.permissions import Right

Role = Membership.Role

ALL: frozenset[Right] = frozenset(Right)
RIGHTS: dict[Role, frozenset[Right]] = {
    Role.USER: frozenset({Right.ATTEND}),
    Role.ORGANIZER: frozenset(
        {
            Right.ATTEND,
            Right.SEE_EVENTS,
            Right.EDIT_EVENTS,
            Right.SEE_BOOKINGS,
            Right.CHANGE_BOOKINGS,
            Right.EXPORT_ATTENDEES,
            Right.SEE_DELIVERIES,
            Right.RETRY_DELIVERIES,
        }
    ),
    Role.ORG_ADMIN: ALL,
}
LOOKING = frozenset(
    {Right.SEE_EVENTS, Right.SEE_BOOKINGS, Right.SEE_DELIVERIES, Right.SEE_MEMBERS, Right.EXPORT_ATTENDEES}
)
LEFT_BY_STATUS: dict[str, frozenset[Right]] = {
    Organization.Status.ACTIVE: ALL,
    Organization.Status.SUSPENDED: LOOKING,
    Organization.Status.CLOSED: frozenset(),
}
BACK_OFFICE = ALL - {Right.ATTEND}  # whoever holds one of these finds something in the organization's admin


def rights_of(role: str, permissions: Mapping[str, Iterable[str]]) -> frozenset[Right]:
    """What a role holds with these flags granted or denied; a flag that is not known is nothing."""
    if role == Role.ORG_ADMIN:
        return ALL
    granted, denied = (_known(permissions.get(way, ())) for way in ("grant", "deny"))
    return (RIGHTS[Role(role)] | granted) - denied


def may_grant(granter: frozenset[Right], role: str, permissions: Mapping[str, Iterable[str]]) -> bool:
    """Whether somebody who holds `granter` may give (or take) this role: nobody grants above their own."""
    return rights_of(role, permissions) <= granter


@dataclass(frozen=True)
class Held:
    """What a person may do, in each organization that is theirs; `everywhere` for platform staff."""

    everywhere: bool
    by_organization: Mapping[UUID, frozenset[Right]]

    def rights_in(self, organization_id: UUID | None) -> frozenset[Right]:
        """None, the organization of an event that lost its own, is nobody's but the platform's."""
        return ALL if self.everywhere else self.by_organization.get(organization_id, frozenset())

    def may(self, right: Right, organization_id: UUID | None) -> bool:
        return right in self.rights_in(organization_id)

    def organizations_where(self, *rights: Right) -> QuerySet[Organization]:
        """The organizations where the person holds any of these rights: what a list is scoped by."""
        if self.everywhere:
            return Organization.objects.all()
        return Organization.objects.filter(
            pk__in=[pk for pk, held in self.by_organization.items() if not held.isdisjoint(rights)]
        )

    @cached_property
    def is_back_office(self) -> bool:
        """Whether the organizations' admin holds anything for the person."""
        return self.everywhere or any(held & BACK_OFFICE for held in self.by_organization.values())


NOTHING = Held(everywhere=False, by_organization={})


def held_by(user) -> Held:
    """What `user` (perhaps nobody in particular) may do, as the database says now. One query."""
    if not (user.is_authenticated and user.is_active):
        return NOTHING
    if user.is_platform_staff:
        return Held(everywhere=True, by_organization={})
    memberships = Membership.objects.active().filter(user_id=user.pk, user__status="active")
    rows = memberships.values_list("organization_id", "role", "permissions", "organization__status")
    return Held(
        everywhere=False,
        by_organization={
            organization_id: rights_of(role, permissions) & LEFT_BY_STATUS[status]
            for organization_id, role, permissions, status in rows
        },
    )


def held_during(request) -> Held:
    """The same for the person of a request, read once however often the request asks."""
    held, person_id = getattr(request, "_held", (None, None))
    if held is None or person_id != request.user.pk:  # signed in or out meanwhile
        held = held_by(request.user)
        request._held = held, request.user.pk
    return held


def rights_in(user, organization_id: UUID | None) -> frozenset[Right]:
    return held_by(user).rights_in(organization_id)


def may(user, right: Right, organization_id: UUID | None) -> bool:
    return held_by(user).may(right, organization_id)


def organizations_where(user, right: Right) -> QuerySet[Organization]:
    return held_by(user).organizations_where(right)


def _known(flags: Iterable[str]) -> frozenset[Right]:
    return frozenset(Right(flag) for flag in flags if flag in Right.values)
