from orgs.admin.invite import InviteAdmin
from orgs.admin.member import MembershipAdmin
from orgs.admin.organization import OrganizationAdmin
from orgs.admin.person import UserAdmin

__all__ = ["InviteAdmin", "MembershipAdmin", "OrganizationAdmin", "UserAdmin"]
