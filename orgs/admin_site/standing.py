"""Where somebody stands in the admin: which organizations are theirs to run, and which they look at now.

Asked anew on each request, from the request alone: the choice is kept in the session and holds only as long
as the rights that it rests on.
"""

from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from django.db.models import Q, QuerySet

from orgs import roles
from orgs.models import Organization
from orgs.models.permissions import Right

CHOICE = "admin_organization"  # in the session: an id; EVERYTHING; or absent
EVERYTHING = "all"
OFFERED = 200  # organizations to switch between; platform staff reach others through their page


@dataclass(frozen=True)
class Standing:
    """`organization`: the one that is looked at; None for platform staff who look at all of them, and for
    whoever has nothing to do here."""

    held: roles.Held
    organization: Organization | None
    is_at_home: bool = False  # on the organization's own host, where there is no other to look at

    @property
    def may_enter(self) -> bool:
        return self.organization is not None or (self.is_platform and not self.is_at_home)

    @property
    def is_platform(self) -> bool:
        return self.held.everywhere

    @property
    def sees_all(self) -> bool:
        return self.is_platform and self.organization is None

    def may(self, right: Right) -> bool:
        """Whether the person may do this in what they look at."""
        if self.is_platform:
            return True
        return self.organization is not None and self.held.may(right, self.organization.pk)

    @cached_property
    def organizations(self) -> list[Organization]:
        """Those that can be switched between, by name."""
        return list(yours(self.held).order_by("name", "pk")[:OFFERED])


def standing_in(request) -> Standing:
    """Where the person of this request stands; read once a request."""
    standing = getattr(request, "_standing", None)
    if standing is None or standing.held is not roles.held_during(request):
        standing = request._standing = _standing(request)
    return standing


def yours(held: roles.Held) -> QuerySet[Organization]:
    """The organizations in which somebody has anything to do in the admin."""
    return held.organizations_where(*roles.BACK_OFFICE)


def choose(request, choice: str) -> bool:
    """Look at another organization from now on; False, and nothing changed, if that is not theirs."""
    held = roles.held_during(request)
    if choice == EVERYTHING and held.everywhere:
        request.session[CHOICE] = EVERYTHING
        return True
    organization = _one_of(yours(held), choice)
    if organization:
        request.session[CHOICE] = str(organization.pk)
    return organization is not None


def _standing(request) -> Standing:
    held = roles.held_during(request)
    if not held.is_back_office:
        return Standing(held, None)
    if here := getattr(request, "organization", None):  # an organization's own host shows that one alone
        return Standing(held, yours(held).filter(pk=here.pk).first(), is_at_home=True)
    choice = request.session.get(CHOICE, "")
    chosen = _one_of(yours(held), choice) if choice not in ("", EVERYTHING) else None
    if chosen is None and not held.everywhere:
        chosen = yours(held).order_by("name", "pk").first()
    return Standing(held, chosen)


def _one_of(organizations: QuerySet[Organization], choice: str) -> Organization | None:
    try:
        return organizations.filter(Q(pk=UUID(choice))).first()
    except (ValueError, AttributeError, TypeError):
        return None
