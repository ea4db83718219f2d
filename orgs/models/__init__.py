from orgs.models.account_mail import AccountMail
from orgs.models.invite import Invite
from orgs.models.job_run import JobRun
from orgs.models.keycloak_group import KeycloakGroup
from orgs.models.membership import Membership
from orgs.models.membership_history import MembershipHistory
from orgs.models.organization import Organization
from orgs.models.spent_token import SpentToken
from orgs.models.user import User

__all__ = [
    "AccountMail",
    "Invite",
    "JobRun",
    "KeycloakGroup",
    "Membership",
    "MembershipHistory",
    "Organization",
    "SpentToken",
    "User",
]
