"""Which Keycloak group gives which role where: a table that the platform's staff keep."""

import re
from typing import ClassVar

from django import forms
from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from orgs.admin_site import PLATFORM_ALONE, TenantModelAdmin
from orgs.models import KeycloakGroup


class KeycloakGroupForm(forms.ModelForm):
    def clean_path(self):
        if not re.match(r"/\S", self.cleaned_data["path"]):
            raise forms.ValidationError(_("Write its whole path, such as /acme/organizers."))
        return self.cleaned_data["path"]


@admin.register(KeycloakGroup)
class KeycloakGroupAdmin(TenantModelAdmin):
    """The one kind of row that is deleted here: it says what is to be given, and nobody's past."""

    form = KeycloakGroupForm
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
