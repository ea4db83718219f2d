"""Members of an organization: who they are and what they may do."""

from typing import ClassVar

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from orgs.admin_site import ReadOnlyAdmin
from orgs.models import Membership
from orgs.models.permissions import Right
from orgs.roles import rights_of


@admin.register(Membership)
class MembershipAdmin(ReadOnlyAdmin):
    organization_path = "organization"
    organization_column = "organization"
    rights: ClassVar = {"view": Right.SEE_MEMBERS}
    list_display = ["person", "address", "organization", "role", "status", "source"]
    list_display_links = ["person"]
    list_filter = ["role", "status", "source"]
    list_select_related = ["user", "organization"]
    search_fields = ["user__email", "user__name"]
    search_help_text = _("By name or address.")
    ordering = ["user__name", "pk"]
    fields = ["person", "address", "role", "what_they_may", "status", "source", "created_at"]
    readonly_fields = fields

    @admin.display(description=_("name"), ordering="user__name")
    def person(self, membership):
        return str(membership.user)

    @admin.display(description=_("address"), ordering="user__email")
    def address(self, membership):
        return membership.user.email or ""

    @admin.display(description=_("may"))
    def what_they_may(self, membership):
        rights = rights_of(membership.role, membership.permissions)
        return "; ".join(str(right.label) for right in Right if right in rights)
