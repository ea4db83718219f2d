from orgs.models.invite import Invite
from orgs.models.membership import Membership
from orgs.models.organization import Organization
from orgs.models.user import User

__all__ = ["Invite", "Membership", "Organization", "User"]
