from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from orgs.models.fields import ADDRESS, Dated, Identified
from orgs.models.organization import Organization


class AccountMailQuerySet(models.QuerySet):
    def pending(self):
        return self.filter(status="pending")

    def due(self, *, at):
        """Pending, due, and in nobody's hands."""
        return self.pending().filter(Q(lease_until=None) | Q(lease_until__lt=at), due_at__lte=at)


class AccountMail(Identified, Dated):
    """A mail about somebody's account, owed until it is sent or has failed.

    `sealed` is its text, encrypted, because it holds links that open accounts: there only while it may
    still be sent, gone as soon as it was.
    """

    class Kind(models.TextChoices):
        VERIFICATION = "verification", _("confirm an address")
        PASSWORD_RESET = "password_reset", _("choose a new password")
        INVITE = "invite", _("invitation")
        NOTICE = "notice", _("notice")

    class Status(models.TextChoices):
        PENDING = "pending", _("pending")
        SENT = "sent", _("sent")
        FAILED = "failed", _("failed")

    KEEPS_TRYING = timedelta(days=1)
    TEXT_KEPT = timedelta(days=3)  # after failing, to be sent again: as long as the links in it work
    KEPT = timedelta(days=30)

    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    recipient = models.CharField(_("to"), max_length=254)
    subject = models.CharField(_("subject"), max_length=250)
    sealed = models.TextField(null=True, editable=False)
    status = models.CharField(
        _("status"), max_length=10, choices=Status, default=Status.PENDING, db_default=Status.PENDING
    )
    due_at = models.DateTimeField(_("due at"))
    give_up_at = models.DateTimeField(_("tried until"))
    lease_until = models.DateTimeField(null=True)
    attempts = models.SmallIntegerField(_("attempts"), default=0, db_default=0)
    last_error = models.TextField(_("last error"), null=True)
    sent_at = models.DateTimeField(_("sent at"), null=True)
    failed_at = models.DateTimeField(_("failed at"), null=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.DO_NOTHING,
        null=True,
        related_name="account_mails",
        db_constraint=False,
        db_index=False,
    )
    organization = models.ForeignKey(
        Organization,
        models.DO_NOTHING,
        null=True,
        related_name="account_mails",
        db_constraint=False,
        db_index=False,
    )

    objects = AccountMailQuerySet.as_manager()

    class Meta:
        db_table = "account_mails"
        db_table_comment = "Mails about accounts, owed until sent: confirmations, new passwords, invitations."
        verbose_name = _("account mail")
        verbose_name_plural = _("account mails")
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["verification", "password_reset", "invite", "notice"]),
                name="account_mail_kind_is_known",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["pending", "sent", "failed"]), name="account_mail_status_is_known"
            ),
            models.CheckConstraint(
                condition=Q(recipient__regex=ADDRESS), name="account_mail_goes_to_an_address"
            ),
            models.CheckConstraint(
                condition=Q(subject__regex=r"^[^\r\n]*\S[^\r\n]*$"), name="account_mail_subject_is_one_line"
            ),
            models.CheckConstraint(
                condition=~Q(status="pending") | Q(sealed__isnull=False),
                name="pending_account_mail_has_its_text",
            ),
            models.CheckConstraint(
                condition=~Q(status="sent") | Q(sealed__isnull=True), name="sent_account_mail_keeps_no_text"
            ),
            models.CheckConstraint(
                condition=Q(status="sent", sent_at__isnull=False)
                | (~Q(status="sent") & Q(sent_at__isnull=True)),
                name="sent_account_mail_alone_says_when",
            ),
            models.CheckConstraint(
                condition=Q(status="failed", failed_at__isnull=False, last_error__isnull=False)
                | (~Q(status="failed") & Q(failed_at__isnull=True)),
                name="failed_account_mail_alone_says_when_and_why",
            ),
            models.CheckConstraint(
                condition=Q(lease_until__isnull=True) | Q(status="pending"),
                name="only_pending_account_mail_is_leased",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(status="pending"), name="idx_account_mails_pending"),
            models.Index(fields=["user"], name="idx_account_mails_user_id"),
            models.Index(fields=["organization"], name="idx_account_mails_organization"),
        ]

    def __str__(self):
        return self.subject
