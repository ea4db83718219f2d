"""Organizations: each its own, for whoever may change its settings; all of them for platform staff."""

from typing import ClassVar

from django.contrib import admin

from orgs.admin_site import PLATFORM_ALONE, TenantModelAdmin, standing_in
from orgs.models import Organization
from orgs.models.permissions import Right

PLATFORMS = ["slug", "domain", "status"]  # what the platform decides, or a proof does


@admin.register(Organization)
class OrganizationAdmin(TenantModelAdmin):
    organization_path = "pk"
    rights: ClassVar = {
        "view": Right.EDIT_ORGANIZATION,
        "change": Right.EDIT_ORGANIZATION,
        "add": PLATFORM_ALONE,
    }
    list_display = ["name", "slug", "domain", "status", "created_at"]
    list_filter = ["status"]
    search_fields = ["name", "slug", "domain"]
    ordering = ["name", "pk"]
    fields = ["name", *PLATFORMS]

    def get_readonly_fields(self, request, obj=None):
        return [] if standing_in(request).is_platform else PLATFORMS
