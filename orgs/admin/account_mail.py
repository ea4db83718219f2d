"""Mails about accounts and memberships: who was to get what, and whether it went; never what stood in it."""

from typing import ClassVar

from django.contrib import admin, messages
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orgs import account_mail
from orgs.admin_site import ReadOnlyAdmin, logged
from orgs.models import AccountMail
from orgs.models.permissions import Right


@admin.register(AccountMail)
class AccountMailAdmin(ReadOnlyAdmin):
    """An organization sees those that it sent: invites, and news of roles. Those about an account are the
    platform's."""

    organization_path = organization_column = "organization"
    rights: ClassVar = {"view": Right.SEE_MEMBERS, "send": Right.INVITE}
    list_display = ["recipient", "subject", "organization", "status", "attempts", "created_at"]
    list_filter = ["status", "kind"]
    list_select_related = ["organization"]
    search_fields = ["recipient"]
    search_help_text = gettext_lazy("By address.")
    fields = [
        *["kind", "recipient", "subject", "status", "created_at", "due_at", "give_up_at"],
        *["attempts", "last_error", "sent_at", "failed_at"],
    ]
    readonly_fields = fields
    actions = ["send_again"]

    @admin.action(description=gettext_lazy("Send again"), permissions=["send"])
    def send_again(self, request, mails):
        if (chosen := self.few(request, mails)) is None:
            return
        gone = 0
        for mail in chosen:
            try:
                with logged(self, request, mail, _("Send again")):
                    account_mail.send_again(mail_id=mail.pk, now=timezone.now())
            except account_mail.TextGone:
                gone += 1
        if gone < len(chosen):
            self.message_user(request, _("They are on their way again."))
        if gone:
            words = _("%(gone)s cannot be sent again, because their text is not kept. Let people ask anew.")
            self.message_user(request, words % {"gone": gone}, messages.WARNING)

    def has_send_permission(self, request):
        return self.may(request, "send")
