"""Organizations: each its own, for whoever may change its settings; all of them for platform staff."""

from typing import ClassVar

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from orgs.admin.organization_form import LOGO, SETTINGS, OrganizationForm
from orgs.admin_site import PLATFORM_ALONE, TenantModelAdmin, standing_in
from orgs.models import Organization
from orgs.models.permissions import Right

PLATFORMS = ["slug", "domain"]  # what the platform decides, or a proof does


@admin.register(Organization)
class OrganizationAdmin(TenantModelAdmin):
    organization_path = "pk"
    rights: ClassVar = {
        "view": Right.EDIT_ORGANIZATION,
        "change": Right.EDIT_ORGANIZATION,
        "add": PLATFORM_ALONE,
        "decide": PLATFORM_ALONE,  # its status, by steps that are answered above: closing cancels events
    }
    form = OrganizationForm
    list_display = ["name", "slug", "domain", "status", "created_at"]
    list_filter = ["status"]
    search_fields = ["name", "slug", "domain"]
    ordering = ["name", "pk"]
    fieldsets = [
        (None, {"fields": ["name", *SETTINGS, *LOGO]}),
        (_("Where it is found"), {"fields": [*PLATFORMS, "status"]}),
    ]

    def get_readonly_fields(self, request, obj=None):
        return ["status"] if standing_in(request).is_platform else [*PLATFORMS, "status"]

    def save_model(self, request, obj, form, change):
        """Each setting on its own, over what stands in the row now: others are written elsewhere."""
        if change:
            obj.settings = Organization.objects.lock(obj.pk).settings
        settings = obj.settings | form.settings_as_sent()
        obj.settings = {name: value for name, value in settings.items() if value is not None}
        super().save_model(request, obj, form, change)
