"""Events in the admin: their words in the form; what people must be told of behind buttons."""

from django import forms
from django.contrib import admin, messages
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from bookings import services
from bookings.admin.forms import CapacityForm, MoveForm, ReasonForm, people
from bookings.admin.steps import step
from events.models import Event
from events.seating import LARGEST, Layout, LayoutError
from events.services import publish
from events.zones import FIRST_YEAR, LAST_YEAR, ZONES
from orgs.admin_site import PlainAdmin

PUBLISHED = ["title", "description", "category", "visibility", "online_url"]
DRAFT = [
    *["org", *PUBLISHED, "place", "event_date", "ends_at", "time_zone", "total_slots", "layout"],
    *["booking_opens_at", "booking_closes_at", "waitlist", "queue_rule"],
    *["max_seats_per_booking", "max_seats_per_person"],
]
KEPT = ["published_at", "status", "available_slots", "version"]


class EventForm(forms.ModelForm):
    online_url = Event._meta.get_field("online_url").formfield(assume_scheme="https")

    def clean_title(self):
        return " ".join(self.cleaned_data["title"].split())

    def clean_layout(self):
        layout = self.cleaned_data.get("layout")
        if layout:
            try:
                Layout.parse(layout)
            except LayoutError as error:
                raise forms.ValidationError(str(error)) from error
        return layout

    def clean_time_zone(self):
        if self.cleaned_data["time_zone"] not in ZONES:
            raise forms.ValidationError(_("There is no time zone of that name, such as Europe/Berlin."))
        return self.cleaned_data["time_zone"]

    def clean(self):
        facts = super().clean()
        for name in ("event_date", "ends_at"):
            if facts.get(name) and not FIRST_YEAR <= facts[name].year <= LAST_YEAR:
                self.add_error(name, _("Choose a year that calendars know."))
        if (facts.get("total_slots") or 0) > LARGEST:
            self.add_error("total_slots", _("An event can have at most %(n)s seats.") % {"n": f"{LARGEST:,}"})
        if facts.get("layout") and facts.get("total_slots", 0) > Layout.parse(facts["layout"]).seats:
            self.add_error("total_slots", _("The seating plan has fewer seats."))
        return facts


@admin.register(Event)
class EventAdmin(PlainAdmin):
    form = EventForm
    change_form_template = "admin/event_change_form.html"
    list_display = ["title", "org", "event_date", "time_zone", "status", "available_slots", "total_slots"]
    list_filter = ["status", "category", "visibility"]
    list_select_related = ["org"]
    search_fields = ["title", "org__name"]
    date_hierarchy = "event_date"
    ordering = ["-event_date"]
    autocomplete_fields = ["org"]
    actions = ["publish_events"]

    def get_fields(self, request, obj=None):
        return [*DRAFT, *KEPT] if obj else DRAFT

    def get_readonly_fields(self, request, obj=None):
        if obj is None:
            return []
        return [*[name for name in DRAFT if name not in PUBLISHED], *KEPT] if obj.is_published else KEPT

    def save_model(self, request, obj, form, change):
        """A draft is saved whole; of what is published only the form's own words."""
        if change:
            obj.save(update_fields=[name for name in form.cleaned_data if name != "id"])
        else:
            obj.save()

    @admin.action(description=_("Publish the chosen drafts"), permissions=["change"])
    def publish_events(self, request, events):
        drafts = list(events.filter(published_at=None))
        for event in drafts:
            publish(event_id=event.pk, now=timezone.now())
        messages.success(request, _("%(n)s events are published now.") % {"n": len(drafts)})

    def get_urls(self):
        steps = [("move", self.move), ("capacity", self.capacity), ("cancel", self.cancel)]
        return [
            path(f"<uuid:pk>/{name}/", self.admin_site.admin_view(view), name=f"event_{name}")
            for name, view in steps
        ] + super().get_urls()

    def move(self, request, pk):
        event = self._event(request, pk)
        facts = {name: getattr(event, name) for name in ("event_date", "ends_at", "time_zone", "place")}

        def do(form):
            services.reschedule(
                event_id=pk, actor_id=request.user.pk, now=timezone.now(), **form.cleaned_data
            )
            return _("The event is moved; people are told in two minutes.")

        form = MoveForm(request.POST or None, initial=facts)
        return self._step(request, event, form, title=_("Move the event"), button=_("Move"), do=do)

    def capacity(self, request, pk):
        event = self._event(request, pk)

        def do(form):
            changed = services.change_capacity(
                event_id=pk, actor_id=request.user.pk, now=timezone.now(), **form.cleaned_data
            )
            return _("The event has %(n)s seats now.") % {"n": changed.total_slots}

        form = CapacityForm(request.POST or None, initial={"total_slots": event.total_slots})
        return self._step(
            request, event, form, title=_("Change the number of seats"), button=_("Change"), do=do
        )

    def cancel(self, request, pk):
        event = self._event(request, pk)

        def do(form):
            services.cancel_event(
                event_id=pk, actor_id=request.user.pk, now=timezone.now(), reason=form.cleaned_data["reason"]
            )
            return _("The event is cancelled; its people are being told.")

        form = ReasonForm(request.POST or None)
        return self._step(
            request, event, form, title=_("Cancel the event, for good"), button=_("Cancel the event"), do=do
        )

    def _event(self, request, pk):
        return get_object_or_404(self.get_queryset(request).select_related("totals"), pk=pk)

    def _step(self, request, event, form, **words):
        back = reverse("admin:events_event_change", args=[event.pk])
        return step(self, request, obj=event, form=form, warning=people(event), back=back, **words)
