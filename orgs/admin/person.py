"""People, for platform staff: accounts belong to no organization."""

from typing import ClassVar

from django.contrib import admin

from orgs import standing_news
from orgs.admin_site import PLATFORM_ALONE, TenantModelAdmin
from orgs.models import User


@admin.register(User)
class UserAdmin(TenantModelAdmin):
    """People make and change their own accounts; staff see them, suspend them, and make colleagues."""

    organization_path = PLATFORM_ALONE
    rights: ClassVar = {"view": PLATFORM_ALONE, "change": PLATFORM_ALONE}
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

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        standing_news.changed(obj.pk)
