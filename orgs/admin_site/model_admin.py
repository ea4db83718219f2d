"""The model admin that every model of the site has."""

from collections.abc import Callable
from functools import partial
from typing import ClassVar

from django.contrib import messages
from django.contrib.admin import ModelAdmin, ShowFacets
from django.contrib.admin.options import IS_POPUP_VAR
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.db.models import QuerySet
from django.shortcuts import redirect
from django.urls import path
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from orgs.admin_site.logbook import who_may_be_named
from orgs.admin_site.paging import CappedPaginator
from orgs.admin_site.standing import standing_in
from orgs.admin_site.steps import Step
from orgs.admin_site.walls import TenantTabularInline, Walls

MOST_AT_ONCE = 200  # rows of an action, each a transaction of its own


class TenantModelAdmin(Walls, ModelAdmin):
    """A model admin behind walls, that deletes nothing and counts nothing in full.

    steps: pages of their own at `<id>/<name>/`, answered by the method of that name with the row that was
        found; see `orgs.admin_site.steps`.
    organization_column: what only who looks at several organizations needs to see in the list.
    """

    steps: ClassVar[tuple[Step, ...]] = ()
    organization_column: ClassVar[str] = ""
    ordering = ("-pk",)
    paginator = CappedPaginator
    show_facets = ShowFacets.NEVER
    show_full_result_count = False
    view_on_site = False
    list_per_page = 50
    list_max_show_all = 0

    @classmethod
    def check_walls(cls):
        super().check_walls()
        for inline in cls.inlines:
            if not issubclass(inline, TenantTabularInline):
                raise ImproperlyConfigured(f"{inline.__name__} of {cls.__name__} must have walls, too.")
            inline.check_walls()
        if cls.raw_id_fields:
            raise ImproperlyConfigured(f"{cls.__name__}: raw_id_fields print the names of foreign rows.")

    def changelist_view(self, request, extra_context=None):
        title = {"title": capfirst(self.opts.verbose_name_plural)}
        return super().changelist_view(request, {**title, **(extra_context or {})})

    def get_list_display(self, request):
        columns = super().get_list_display(request)
        if standing_in(request).sees_all:
            return columns
        return [column for column in columns if column != self.organization_column]

    # Django lets any column of the table be asked for in a list's address, which tells a patient asker what
    # stands in columns that are not shown.
    def lookup_allowed(self, lookup, value, request):
        return lookup in self.lookups(request)

    def lookups(self, request) -> set[str]:
        """What the list's own filters put in its address, and nothing else."""
        allowed = set()
        for entry in self.get_list_filter(request):
            if isinstance(entry, str):
                allowed |= {f"{entry}__exact", f"{entry}__isnull"}
            else:
                allowed.add(entry.parameter_name)
        if self.date_hierarchy:
            allowed |= {f"{self.date_hierarchy}__{part}" for part in ("year", "month", "day")}
        return allowed

    def get_changeform_initial_data(self, request):
        """A form begins empty, whatever its address says."""
        return {}

    def history_view(self, request, object_id, extra_context=None):
        """May they, before is it there: as Django does on every other page."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        names = {"named": who_may_be_named(request)}
        return super().history_view(request, object_id, {**names, **(extra_context or {})})

    def get_urls(self):
        return [
            path(
                f"<uuid:pk>/{step.name}/",
                self.admin_site.admin_view(self._view_of(step)),
                name=self.url_name(step),
            )
            for step in self.steps
        ] + super().get_urls()

    def few(self, request, rows: QuerySet) -> list | None:
        """The rows that were chosen for an action; None, and the person is told, where they are more than one
        request should change."""
        chosen = list(rows[: MOST_AT_ONCE + 1])
        if len(chosen) <= MOST_AT_ONCE:
            return chosen
        words = _("Choose at most %(n)s of them at once; nothing was changed.")
        messages.error(request, words % {"n": MOST_AT_ONCE})
        return None

    def take_step(self, step: Step, answer: Callable) -> None:
        """One more step, answered by an app above; before the first request asks for addresses."""
        self.steps = (*self.steps, step)
        setattr(self, step.name, partial(answer, self))

    def url_name(self, step: Step) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{step.name}"

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        context["steps"] = [
            (f"admin:{self.url_name(step)}", step)
            for step in self.steps
            if obj is not None and self.may(request, step.deed) and step.offered(obj)
        ]
        one_way_to_save = {"show_save_and_continue": False, "show_save_and_add_another": False}
        page = super().render_change_form(request, context | one_way_to_save, add, change, form_url, obj)
        if context["errors"]:
            page.status_code = 422  # as every form of the site that does not hold
        return page

    saved = _("Saved.")  # what is said of a new row; of a changed one it is this in any case

    def response_add(self, request, obj, post_url_continue=None):
        """On to the row's own page, where its steps are."""
        if IS_POPUP_VAR in request.POST:
            return super().response_add(request, obj, post_url_continue)
        return self._stay(request, obj, self.saved)

    def response_change(self, request, obj):
        if IS_POPUP_VAR in request.POST:
            return super().response_change(request, obj)
        return self._stay(request, obj, _("Saved."))

    def _get_obj_does_not_exist_redirect(self, request, opts, object_id):
        """Django's own redirect, which a foreign row and a missing one share, in words without the key."""
        messages.warning(request, _("There is no such page, or it is not one of yours."))
        return redirect("admin:index")

    def _stay(self, request, obj, told):
        messages.success(request, told)
        return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", obj.pk)

    def _view_of(self, step: Step):
        """May they, is it there (and theirs), and only then the step itself."""
        answer = getattr(self, step.name)

        def view(request, pk):
            if not self.may(request, step.deed):
                raise PermissionDenied
            row = self.get_object(request, str(pk))
            if row is None:
                return self._get_obj_does_not_exist_redirect(request, self.opts, str(pk))
            return answer(request, row)

        return view


class ReadOnlyAdmin(TenantModelAdmin):
    """Rows that services and triggers write: to be looked at, and changed by steps and actions."""

    def has_add_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return False


class WalledAutocomplete(AutocompleteJsonView):
    """Django's own, for the fields that a form of this site completes and for no other; what it finds is what
    the admin of the other model would show."""

    def process_request(self, request):
        asked = tuple(request.GET.get(name) for name in ("app_label", "model_name", "field_name"))
        offered = {
            (model._meta.app_label, model._meta.model_name, name)
            for model, model_admin in self.admin_site._registry.items()
            for name in model_admin.get_autocomplete_fields(request)
        }
        if asked not in offered:
            raise PermissionDenied
        return super().process_request(request)
