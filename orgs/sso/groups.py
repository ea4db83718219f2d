"""Keycloak's groups as memberships, by the table that platform staff keep.

Only a membership whose source is Keycloak is ever changed: what was given here stays. A token without the
claim says nothing, so it changes nothing. An organization never loses its last administrator to a group, and
no group makes anybody platform staff: there is no such role in the table. As with every change of a
membership, the organization's row is the lock, a trigger writes the history, and the person is told.
"""

import logging
from datetime import datetime
from uuid import UUID

from orgs import members, membership_mail, standing_news
from orgs.models import KeycloakGroup, Membership, Organization, User

RANK = [Membership.Role.USER, Membership.Role.ORGANIZER, Membership.Role.ORG_ADMIN]
logger = logging.getLogger(__name__)


def follow(person: User, claims: dict, *, now: datetime) -> None:
    """Give and take this person's memberships by the groups that the provider says they are in."""
    named = claims.get("groups")
    if not isinstance(named, list):
        return
    wanted = _roles_of({path for path in named if isinstance(path, str) and "\x00" not in path})
    standing = {membership.organization_id: membership for membership in person.memberships.all()}
    for organization_id in sorted(wanted.keys() | standing.keys()):
        membership, role = standing.get(organization_id), wanted.get(organization_id)
        if membership is None or (_follows(membership) and membership.role != role):
            _bring(person, organization_id, role, now=now)


def _roles_of(paths: set[str]) -> dict[UUID, str]:
    """The highest role that these groups give, by organization."""
    roles = {}
    groups = KeycloakGroup.objects.exclude(organization__status=Organization.Status.CLOSED)
    for group in groups.filter(path__in=paths):
        standing = roles.get(group.organization_id, group.role)
        roles[group.organization_id] = max(standing, group.role, key=RANK.index)
    return roles


def _bring(person: User, organization_id: UUID, role: str | None, *, now: datetime) -> None:
    """To this role, or to none; what is there is read again under the lock."""
    organization = Organization.objects.lock(organization_id)
    standing = Membership.objects.select_related("user", "organization")
    membership = standing.filter(organization=organization, user=person).first()
    if membership is None:
        source = Membership.Source.KEYCLOAK
        made = Membership.objects.create(organization=organization, user=person, role=role, source=source)
        membership_mail.tell_of_role(made, now=now)
    elif not _follows(membership):
        return
    elif membership.is_administrator and _is_the_last(membership):
        logger.warning(
            "Keycloak's groups would leave organization %s without administrator.", organization.pk
        )
    elif role is None:
        membership_mail.tell_of_end(membership, now=now)
        members.end(membership)
    else:
        membership.role = role
        membership.save(update_fields=["role"])
        membership_mail.tell_of_role(membership, now=now)
    standing_news.changed(person.pk)


def _follows(membership: Membership) -> bool:
    return membership.source == Membership.Source.KEYCLOAK


def _is_the_last(membership: Membership) -> bool:
    others = Membership.objects.administrators().filter(organization_id=membership.organization_id)
    return not others.exclude(pk=membership.pk).exists()
