"""Starting an organization by oneself: it and its first administrator, who is whoever started it."""

from datetime import datetime
from uuid import UUID

from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from orgs.errors import Refused
from orgs.members import name_actor
from orgs.models import Membership, Organization

MOST = 5  # organizations that one person may be an administrator of and start yet another


class NameTaken(Refused):
    def __init__(self, slug: str):
        super().__init__(_("“%(slug)s” is somebody else's already. Choose another.") % {"slug": slug})


class TooMany(Refused):
    def __init__(self):
        super().__init__(
            _("You are the administrator of several organizations already. Write to us if you need another.")
        )


class NotVerified(Refused):
    def __init__(self):
        super().__init__(_("Confirm your email address first; the mail with the link is on its way to you."))


def start_organization(*, name: str, slug: str, time_zone: str, user_id: UUID, now: datetime) -> Organization:
    """Make an organization with `user_id` as its administrator.

    Raises:
        NameTaken, TooMany, NotVerified.
    """
    if not EmailAddress.objects.filter(user_id=user_id, verified=True).exists():
        raise NotVerified
    try:
        with transaction.atomic(durable=True):
            name_actor(user_id)
            if Membership.objects.administrators().filter(user_id=user_id).count() >= MOST:
                raise TooMany
            organization = Organization(name=name, slug=slug, settings={"time_zone": time_zone})
            organization.created_at = organization.updated_at = now
            organization.save(force_insert=True)
            Membership.objects.create(
                organization=organization, user_id=user_id, role=Membership.Role.ORG_ADMIN
            )
    except IntegrityError as error:
        if error.__cause__.diag.constraint_name != "organizations_have_distinct_slugs":
            raise
        raise NameTaken(slug) from None
    return organization
