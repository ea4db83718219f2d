"""What people are told about their memberships and invites, in the transaction that changes them."""

from datetime import datetime

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orgs import account_mail
from orgs.models import AccountMail, Invite, Membership, Organization

STATUSES = {
    Organization.Status.ACTIVE: (
        gettext_lazy("%(organization)s is open again"),
        gettext_lazy("%(organization)s is open again: your events show and can be booked. %(url)s"),
    ),
    Organization.Status.SUSPENDED: (
        gettext_lazy("%(organization)s is suspended"),
        gettext_lazy(
            "the platform's staff have suspended %(organization)s for now: its events are hidden and "
            "nothing new can be booked. Who has booked still sees it and may cancel. You can look, and "
            "change nothing."
        ),
    ),
    Organization.Status.CLOSED: (
        gettext_lazy("%(organization)s is closed"),
        gettext_lazy(
            "the platform's staff have closed %(organization)s. Its events to come are cancelled, and "
            "whoever had booked is told."
        ),
    ),
}


def tell_of_role(membership: Membership, *, now: datetime) -> None:
    organization, role = membership.organization, membership.get_role_display()
    _tell(
        membership,
        _("You are now %(role)s at %(organization)s") % {"role": role, "organization": organization},
        _("your role at %(organization)s is now: %(role)s. You find it here: %(url)s")
        % {"organization": organization, "role": role, "url": organization.address()},
        now=now,
    )


def tell_of_suspension(membership: Membership, *, now: datetime) -> None:
    facts = {"organization": membership.organization}
    _tell(
        membership,
        _("Your membership of %(organization)s is suspended") % facts,
        _(
            "your membership of %(organization)s is suspended for now. Your bookings stay. "
            "If you think this is a mistake, write to an administrator of %(organization)s."
        )
        % facts,
        now=now,
    )


def tell_of_end(membership: Membership, *, now: datetime) -> None:
    facts = {"organization": membership.organization}
    _tell(
        membership,
        _("You are no longer a member of %(organization)s") % facts,
        _("your membership of %(organization)s has ended. Your bookings stay.") % facts,
        now=now,
    )


def tell_of_status(organization: Organization, *, now: datetime) -> None:
    """Its administrators, of what the platform's staff decided."""
    subject, sentence = STATUSES[organization.status]
    facts = {"organization": organization, "url": organization.address()}
    for membership in organization.memberships.administrators().select_related("user"):
        _tell(membership, subject % facts, sentence % facts, now=now)


def invite(invite: Invite, *, link: str, now: datetime) -> None:
    organization = invite.organization
    facts = {
        "organization": organization,
        "role": invite.get_role_display(),
        "link": link,
        "until": formats.date_format(invite.expires_at, "j F Y"),
    }
    account_mail.post(
        kind=AccountMail.Kind.INVITE,
        to=invite.email,
        subject=_("%(organization)s invites you") % facts,
        text=_(
            "Hello,\n\n%(organization)s invites you to join as %(role)s. To accept, open this link and sign "
            "in with this address:\n\n%(link)s\n\nThe link works once, until %(until)s. If you do not know "
            "%(organization)s, do nothing: without you nothing happens."
        )
        % facts,
        organization_id=organization.pk,
        now=now,
    )


def _tell(membership: Membership, subject: str, sentence: str, *, now: datetime) -> None:
    person = membership.user
    if not person.email:
        return
    account_mail.post(
        kind=AccountMail.Kind.NOTICE,
        to=person.email,
        subject=subject,
        text=_("Hello %(name)s,\n\n%(sentence)s") % {"name": person.get_short_name(), "sentence": sentence},
        user_id=person.pk,
        organization_id=membership.organization_id,
        now=now,
    )
