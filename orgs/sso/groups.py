"""Keycloak's groups as memberships, by the table that platform staff keep.

Only a membership whose source is Keycloak is ever changed: what was given here stays. A token without the
claim says nothing, so it changes nothing. An organization never loses its last administrator to a group, and
no group makes anybody platform staff: there is no such role in the table.
"""

import logging

from orgs.models import KeycloakGroup, Membership, User

RANK = [Membership.Role.USER, Membership.Role.ORGANIZER, Membership.Role.ORG_ADMIN]
logger = logging.getLogger(__name__)


def follow(person: User, claims: dict) -> None:
    """Give and take this person's memberships by the groups that the provider says they are in."""
    named = claims.get("groups")
    if not isinstance(named, list):
        return
    wanted = _roles_of({path for path in named if isinstance(path, str) and "\x00" not in path})
    standing = {
        membership.organization_id: membership
        for membership in Membership.objects.select_for_update(no_key=True)
        .filter(user=person)
        .order_by("organization_id")
    }
    for organization_id, membership in standing.items():
        if membership.source == Membership.Source.KEYCLOAK:
            _bring_to(membership, wanted.get(organization_id))
    for organization_id in sorted(wanted.keys() - standing.keys()):
        Membership.objects.create(
            organization_id=organization_id,
            user=person,
            role=wanted[organization_id],
            source=Membership.Source.KEYCLOAK,
        )
        _log(person, organization_id, f"is {wanted[organization_id]}")


def _roles_of(paths: set[str]) -> dict:
    """The highest role that these groups give, by organization."""
    roles = {}
    for group in KeycloakGroup.objects.filter(path__in=paths):
        standing = roles.get(group.organization_id, group.role)
        roles[group.organization_id] = max(standing, group.role, key=RANK.index)
    return roles


def _bring_to(membership: Membership, role: str | None) -> None:
    if membership.role == role:
        return
    if membership.role == Membership.Role.ORG_ADMIN and _is_the_last(membership):
        _log(membership.user, membership.organization_id, "stays, as the last administrator")
    elif role is None:
        membership.delete()
        _log(membership.user, membership.organization_id, "is no member any more")
    else:
        membership.role = role
        membership.save(update_fields=["role"])
        _log(membership.user, membership.organization_id, f"is {role}")


def _is_the_last(membership: Membership) -> bool:
    """Whether no other administrator is left. All of them are locked, so that two cannot go at once."""
    admins = Membership.objects.active().filter(
        organization_id=membership.organization_id, role=Membership.Role.ORG_ADMIN
    )
    locked = admins.select_for_update(no_key=True, of=("self",)).order_by("pk").select_related("user")
    return not any(admin.user.is_active for admin in locked if admin.pk != membership.pk)


def _log(person: User, organization_id, change: str) -> None:
    logger.info("By Keycloak's groups, person %s %s in organization %s.", person.pk, change, organization_id)
