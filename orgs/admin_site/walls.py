"""The walls of one registered model: what its admin, or an inline of it, may read, offer and accept.

Every way past `get_queryset` that Django's admin has is closed here: choices of related fields, values that
are posted, autocomplete, labels of pre-filled fields, popups that name a column. Nothing is kept on the
model admin, of which there is one for all requests at once: the tenant comes from the request.
"""

from typing import ClassVar

from django.contrib import admin
from django.contrib.admin.exceptions import NotRegistered
from django.core.exceptions import ImproperlyConfigured
from django.db.models import QuerySet

from orgs.admin_site.standing import standing_in

PLATFORM_ALONE = "platform alone"


class Walls:
    """What model admins and inlines have in common.

    organization_path: how a row reaches its organization's id, as a lookup ("event__org"); PLATFORM_ALONE
        for what belongs to no tenant and is shown to platform staff only.
    rights: the flag of `orgs.models.permissions` that each deed ("view", "add", "change", or a name of
        one's own) needs. What is not named nobody may do, platform staff included.
    """

    organization_path: ClassVar[str] = ""
    rights: ClassVar[dict] = {}

    @classmethod
    def check_walls(cls) -> None:
        """Raises ImproperlyConfigured unless the class says how its rows reach their organization."""
        if not cls.organization_path:
            raise ImproperlyConfigured(f"{cls.__name__} must say its organization_path.")

    def may(self, request, deed: str) -> bool:
        standing = standing_in(request)
        if deed not in self.rights:
            return False
        if PLATFORM_ALONE in (self.organization_path, self.rights[deed]):
            return standing.is_platform
        return standing.may(self.rights[deed])

    def within(self, request, rows: QuerySet) -> QuerySet:
        """Those of `rows` that the person of the request may know of."""
        standing = standing_in(request)
        if standing.sees_all or (standing.is_platform and self.organization_path == PLATFORM_ALONE):
            return rows
        if standing.organization is None or self.organization_path == PLATFORM_ALONE:
            return rows.none()
        return rows.filter(**{self.organization_path: standing.organization.pk})

    def get_queryset(self, request):
        return self.within(request, super().get_queryset(request))

    def get_field_queryset(self, db, db_field, request):
        """What a related field offers and accepts: what the admin of the other model would show, else
        nothing."""
        try:
            return self.admin_site.get_model_admin(db_field.remote_field.model).get_queryset(request)
        except NotRegistered:
            return db_field.remote_field.model._default_manager.none()

    def to_field_allowed(self, request, to_field):
        return to_field == self.opts.pk.name

    def has_module_permission(self, request):
        return self.may(request, "view")

    def has_view_permission(self, request, obj=None):
        return self.may(request, "view")

    def has_add_permission(self, request, obj=None):
        return self.may(request, "add")

    def has_change_permission(self, request, obj=None):
        return self.may(request, "change")

    def has_delete_permission(self, request, obj=None):
        """Nothing of a tenant is deleted here: bookings and events are cancelled, members leave by a step."""
        return False


class TenantTabularInline(Walls, admin.TabularInline):
    """Rows below another row, behind walls of their own."""

    extra = 0
    can_delete = False
    show_change_link = False
