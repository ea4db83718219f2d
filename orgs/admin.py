from django.contrib import admin, messages
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orgs import account_mail
from orgs.admin_site import PlainAdmin, ReadOnlyAdmin
from orgs.models import AccountMail, Invite, Membership, Organization, User


class MembershipInline(admin.TabularInline):
    model = Membership
    extra = 0
    fields = ["user", "role", "permissions", "status"]
    autocomplete_fields = ["user"]


@admin.register(Organization)
class OrganizationAdmin(PlainAdmin):
    list_display = ["name", "slug", "domain", "status", "created_at"]
    list_filter = ["status"]
    search_fields = ["name", "slug", "domain"]
    fields = ["name", "slug", "domain", "status", "settings"]
    inlines = [MembershipInline]


@admin.register(User)
class UserAdmin(PlainAdmin):
    """People make and change their own accounts; staff see them, suspend them, and make colleagues."""

    list_display = ["email", "name", "status", "is_platform_staff", "last_login"]
    list_filter = ["status", "is_platform_staff"]
    search_fields = ["email", "name"]
    fields = [
        "email",
        "name",
        "phone",
        "status",
        "is_platform_staff",
        "keycloak_id",
        "last_login",
        "created_at",
    ]
    readonly_fields = ["email", "keycloak_id", "last_login", "created_at"]

    def has_add_permission(self, request):
        return False


@admin.register(Membership)
class MembershipAdmin(PlainAdmin):
    list_display = ["user", "organization", "role", "status", "source"]
    list_filter = ["role", "status"]
    list_select_related = ["user", "organization"]
    search_fields = ["user__email", "user__name", "organization__name"]
    autocomplete_fields = ["user", "organization"]


@admin.register(Invite)
class InviteAdmin(ReadOnlyAdmin):
    list_display = ["email", "organization", "role", "status", "expires_at"]
    list_filter = ["status", "role"]
    list_select_related = ["organization"]
    search_fields = ["email", "organization__name"]
    fields = ["organization", "email", "role", "status", "invited_by", "expires_at", "created_at"]


@admin.register(AccountMail)
class AccountMailAdmin(ReadOnlyAdmin):
    """Who was to get what, and whether it went; never what stood in it."""

    list_display = ["created_at", "kind", "recipient", "subject", "status", "attempts", "last_error"]
    list_filter = ["status", "kind"]
    search_fields = ["recipient"]
    ordering = ["-created_at"]
    fields = [
        "kind",
        "recipient",
        "subject",
        "user",
        "organization",
        "status",
        "created_at",
        "due_at",
        "give_up_at",
        "attempts",
        "last_error",
        "sent_at",
        "failed_at",
    ]
    actions = ["send_again"]

    @admin.action(description=gettext_lazy("Send again"))
    def send_again(self, request, queryset):
        chosen, gone = list(queryset.values_list("pk", flat=True)), 0
        for mail_id in chosen:
            try:
                account_mail.send_again(mail_id=mail_id, now=timezone.now())
            except account_mail.TextGone:
                gone += 1
        if gone < len(chosen):
            self.message_user(request, _("They are on their way again."))
        if gone:
            words = _("%(gone)s cannot be sent again, because their text is not kept. Let people ask anew.")
            self.message_user(request, words % {"gone": gone}, messages.WARNING)
