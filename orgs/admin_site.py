"""The platform's own admin: stock Django admin, entered through the site's one sign-in page.

For platform staff; `is_staff` of the user model says who that is.
"""

from django.contrib.admin import AdminSite, ModelAdmin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _


class PlatformAdminSite(AdminSite):
    site_header = site_title = "Happening"
    index_title = _("Platform")
    site_url = "/"

    def login(self, request, extra_context=None):
        """There is one way in; who is signed in already and still sent here may not enter."""
        if request.user.is_authenticated:
            raise PermissionDenied
        return redirect_to_login(request.GET.get("next", request.path))

    def password_change(self, request, extra_context=None):
        """There is one place to change a password."""
        return redirect("account_change_password")


class PlainAdmin(ModelAdmin):
    """What every model admin of the project has in common: nothing is deleted, nothing is counted in full."""

    show_full_result_count = False
    view_on_site = False
    list_per_page = 50

    def has_delete_permission(self, request, obj=None):
        return False


class ReadOnlyAdmin(PlainAdmin):
    """Rows that services and triggers write: to be looked at."""

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False
