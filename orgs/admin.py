from django.contrib import admin

from orgs.admin_site import PlainAdmin, ReadOnlyAdmin
from orgs.models import Invite, Membership, Organization, User


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
