"""Invites into an organization, and what became of them."""

from typing import ClassVar

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from orgs.admin_site import ReadOnlyAdmin
from orgs.models import Invite
from orgs.models.permissions import Right


@admin.register(Invite)
class InviteAdmin(ReadOnlyAdmin):
    organization_path = "organization"
    organization_column = "organization"
    rights: ClassVar = {"view": Right.SEE_MEMBERS}
    list_display = ["email", "organization", "role", "status", "expires_at"]
    list_filter = ["status", "role"]
    list_select_related = ["organization"]
    search_fields = ["email"]
    search_help_text = _("By address.")
    ordering = ["-created_at", "pk"]
    fields = ["email", "role", "status", "expires_at", "created_at"]
    readonly_fields = fields
