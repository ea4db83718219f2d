"""The site itself: who may enter, what may be registered, and which of Django's addresses it does without."""

from collections.abc import Callable

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import BadRequest, ImproperlyConfigured, PermissionDenied, ValidationError
from django.db import DataError
from django.db.models import Model
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from orgs.admin_site import standing
from orgs.admin_site.logbook import own_recent_entries
from orgs.admin_site.model_admin import TenantModelAdmin, WalledAutocomplete
from orgs.admin_site.standing import standing_in
from orgs.admin_site.steps import Step

LEFT_OUT = {"view_on_site", "password_change_done"}  # the first names the address of any object there is
ORDER = {label: place for place, label in enumerate(["events", "bookings", "notifications", "orgs"])}


class TenantAdminSite(AdminSite):
    site_header = site_title = "Happening"
    index_title = gettext_lazy("Overview")
    site_url = "/"
    enable_nav_sidebar = True

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.disable_action("delete_selected")
        self._panels: list[Callable] = []
        self._pages: list[URLPattern] = []

    def register(self, model_or_iterable, admin_class=None, **options):
        """Raises ImproperlyConfigured for a model admin that does not say how its rows reach their
        organization."""
        if admin_class is None or not issubclass(admin_class, TenantModelAdmin):
            raise ImproperlyConfigured("Only a TenantModelAdmin can be registered here.")
        admin_class.check_walls()
        super().register(model_or_iterable, admin_class, **options)

    def add_panel(self, panel: Callable) -> Callable:
        """Show on the first page what `panel(request, standing)` returns: safe HTML, or None for nothing.
        Apps above hand theirs in; the site imports none of them."""
        self._panels.append(panel)
        return panel

    def add_page(self, route: str, view: Callable, *, name: str) -> None:
        """Answer at `route`, below the site's own address, with `view(request)`, for whoever may enter: who
        may see it is for the view to say. As with panels, apps above hand theirs in."""
        self._pages.append(path(route, self.admin_view(view), name=name))

    def add_step(self, model: type[Model], step: Step, answer: Callable) -> None:
        """Offer a step on the pages of `model`'s rows that an app above answers, by
        `answer(model_admin, request, row)`."""
        self.get_model_admin(model).take_step(step, answer)

    def has_permission(self, request):
        """Whoever has anything to do in some organization, and platform staff."""
        return standing_in(request).may_enter

    def login(self, request, extra_context=None):
        """There is one way in; who is signed in already and still sent here may not enter."""
        if request.user.is_authenticated:
            raise PermissionDenied
        return redirect_to_login(request.GET.get("next", request.path))

    def password_change(self, request, extra_context=None):
        """There is one place to change a password."""
        return redirect("account_change_password")

    def get_urls(self):
        switch = path("switch/", self.admin_view(require_POST(self.switch)), name="switch")
        return [
            switch,
            *self._pages,
            *(url for url in super().get_urls() if getattr(url, "name", "") not in LEFT_OUT),
        ]

    def switch(self, request):
        """Look at another organization; one that is not theirs is as one that is not there."""
        if not standing.choose(request, request.POST.get("organization", "")):
            messages.error(request, _("There is no such organization among yours."))
        return redirect("admin:index")

    def admin_view(self, view, cacheable=False):
        """What no field can read (a NUL, a key that is no UUID, a number out of range) is a bad request,
        whichever page was asked for it; a form that is shown again reads it while it is drawn."""

        def readable(request, *args, **kwargs):
            if any("\x00" in text for pair in request.GET.items() for text in pair):
                raise BadRequest("No text holds a NUL.")
            try:
                answer = view(request, *args, **kwargs)
                return answer.render() if hasattr(answer, "render") else answer
            except (ValidationError, DataError, OverflowError) as error:
                raise BadRequest("A value in the request cannot be read.") from error

        readable.csrf_exempt = getattr(view, "csrf_exempt", False)
        return super().admin_view(readable, cacheable)

    def autocomplete_view(self, request):
        return WalledAutocomplete.as_view(admin_site=self)(request)

    def each_context(self, request):
        return {**super().each_context(request), "standing": standing_in(request)}

    def get_app_list(self, request, app_label=None):
        """What is used every day first."""
        found = super().get_app_list(request, app_label)
        return sorted(found, key=lambda app: ORDER.get(app["app_label"], len(ORDER)))

    def get_log_entries(self, request):
        """Asked for on the first page alone, which shows them."""
        return []

    def index(self, request, extra_context=None):
        here = standing_in(request)
        shown = (panel(request, here) for panel in self._panels)
        more = {
            "panels": [panel for panel in shown if panel],
            "recent": own_recent_entries(self, request),
        }
        return super().index(request, {**more, **(extra_context or {})})
