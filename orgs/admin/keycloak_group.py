"""Which Keycloak group gives which role where: a table that the platform's staff keep."""

from typing import ClassVar

from django.contrib import admin

from orgs.admin_site import PLATFORM_ALONE, TenantModelAdmin
from orgs.models import KeycloakGroup


@admin.register(KeycloakGroup)
class KeycloakGroupAdmin(TenantModelAdmin):
    """The one kind of row that is deleted here: it says what is to be given, and nobody's past."""

    organization_path = PLATFORM_ALONE
    rights: ClassVar = dict.fromkeys(("view", "add", "change", "delete"), PLATFORM_ALONE)
    list_display = ["path", "organization", "role"]
    list_filter = ["role"]
    list_select_related = ["organization"]
    search_fields = ["path", "organization__name"]
    ordering = ["path", "pk"]
    fields = ["path", "organization", "role"]
    autocomplete_fields = ["organization"]

    def has_delete_permission(self, request, obj=None):
        return self.may(request, "delete")
