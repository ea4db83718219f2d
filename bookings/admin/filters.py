"""What the lists of the admin can be narrowed by, with choices from the organization's own rows only."""

from uuid import UUID

from django.contrib.admin import SimpleListFilter, site
from django.utils.translation import gettext_lazy as _

from events.models import Event
from orgs.admin_site import standing_in

OFFERED = 12
MOST_NAMED = 2_000  # events


class EventFilter(SimpleListFilter):
    """Of one event: the latest few, and whichever the address names."""

    title = _("event")
    parameter_name = "event"

    def lookups(self, request, model_admin):
        events = site.get_model_admin(Event).get_queryset(request).order_by("-event_date", "-pk")
        choices = [(str(pk), title) for pk, title in events.values_list("pk", "title")[:OFFERED]]
        asked = self.asked
        if asked and str(asked) not in dict(choices):
            choices += [(str(pk), title) for pk, title in events.filter(pk=asked).values_list("pk", "title")]
        return choices

    def has_output(self):
        return True

    def queryset(self, request, queryset):
        if not self.value():
            return queryset
        return queryset.filter(event_id=self.asked) if self.asked else queryset.none()

    @property
    def asked(self) -> UUID | None:
        try:
            return UUID(self.value() or "")
        except ValueError:
            return None


class OfEvents:
    """For a model admin of a long list whose rows reach their organization by their event. Of a join with
    events PostgreSQL guesses that each organization has as much as any other; of their ids it knows."""

    def seen_through(self, request, rows):
        if standing_in(request).sees_all:
            return rows
        events = site.get_model_admin(Event).get_queryset(request).order_by()
        ids = list(events.values_list("pk", flat=True)[: MOST_NAMED + 1])
        return self.model.objects.filter(event_id__in=ids) if len(ids) <= MOST_NAMED else rows


class StateFilter(SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request, model_admin):
        return [("draft", _("draft")), *Event.Status.choices]

    def queryset(self, request, queryset):
        if self.value() == "draft":
            return queryset.filter(published_at=None)
        if self.value() in Event.Status.values:
            return queryset.published().filter(status=self.value())
        return queryset
