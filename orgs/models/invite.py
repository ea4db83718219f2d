from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from orgs.models.fields import ADDRESS, Dated, Identified
from orgs.models.membership import Membership
from orgs.models.organization import Organization


class InviteQuerySet(models.QuerySet):
    def pending(self):
        """Not taken up, taken back or marked as expired; their end may have passed all the same."""
        return self.filter(status=Invite.Status.PENDING)


class Invite(Identified, Dated):
    """An offer of a role in an organization, sent to one address and taken up once.

    `token` is the SHA-256 of what stands in the mail's link: who reads this table cannot accept.
    """

    class Status(models.TextChoices):
        PENDING = "pending", _("pending")
        ACCEPTED = "accepted", _("accepted")
        EXPIRED = "expired", _("expired")
        REVOKED = "revoked", _("revoked")

    organization = models.ForeignKey(
        Organization, models.DO_NOTHING, related_name="invites", db_constraint=False, db_index=False
    )
    email = models.EmailField(_("email"), max_length=254)
    role = models.CharField(_("role"), max_length=20, choices=Membership.Role, default=Membership.Role.USER)
    token = models.CharField(max_length=64, editable=False)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.DO_NOTHING,
        null=True,
        related_name="+",
        db_column="invited_by",
        db_constraint=False,
        db_index=False,
    )
    expires_at = models.DateTimeField(_("expires"))
    status = models.CharField(
        _("status"), max_length=20, choices=Status, default=Status.PENDING, db_default=Status.PENDING
    )

    objects = InviteQuerySet.as_manager()

    class Meta:
        db_table = "organization_invites"
        db_table_comment = "Invitations to an organization in a role: a hashed token, an end, a state."
        verbose_name = _("invite")
        verbose_name_plural = _("invites")
        constraints = [
            models.UniqueConstraint(fields=["token"], name="invites_have_distinct_tokens"),
            models.UniqueConstraint(
                "organization",
                Lower("email"),
                condition=Q(status="pending"),
                name="an_address_has_one_pending_invite",
            ),
            models.CheckConstraint(
                condition=Q(role__in=["orgAdmin", "organizer", "user"]), name="invite_role_is_known"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["pending", "accepted", "expired", "revoked"]),
                name="invite_status_is_known",
            ),
            models.CheckConstraint(
                condition=Q(email__regex=ADDRESS),
                name="invite_email_is_an_address",
            ),
            models.CheckConstraint(condition=Q(token__regex=r"\S"), name="invite_token_is_not_empty"),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at")), name="invite_expires_after_it_was_made"
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "status"], name="idx_invites_organization"),
            models.Index(fields=["expires_at"], condition=Q(status="pending"), name="idx_invites_pending"),
            models.Index(fields=["invited_by"], name="idx_invites_invited_by"),
        ]

    def __str__(self):
        return f"{self.email}, {self.get_role_display()}"
