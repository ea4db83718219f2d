from orgs.admin.account_mail import AccountMailAdmin
from orgs.admin.invite import InviteAdmin
from orgs.admin.keycloak_group import KeycloakGroupAdmin
from orgs.admin.member import MembershipAdmin
from orgs.admin.organization import OrganizationAdmin
from orgs.admin.person import UserAdmin

__all__ = [
    "AccountMailAdmin",
    "InviteAdmin",
    "KeycloakGroupAdmin",
    "MembershipAdmin",
    "OrganizationAdmin",
    "UserAdmin",
]
