"""Events in the admin: their words in the form; what people must be told of behind buttons."""

from functools import partial
from typing import ClassVar

from django.contrib import admin, messages
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from bookings import seat_counter
from bookings.admin.event_form import DRAFT, WORDS, EventForm, WordsForm, zone_last_used
from bookings.admin.event_steps import STEPS, EventSteps
from bookings.admin.filters import StateFilter
from bookings.views.panel import parties_waiting
from events.models import Event
from events.services import EventRefused, publish
from events.templatetags.event_words import short_moment, zone_words
from orgs.admin_site import TenantModelAdmin, logged, standing_in
from orgs.links import platform_address
from orgs.models.permissions import Right

SHOWN = ["page", "state", "starts", "ends", "where", "online_url", "booking", "sold", "line"]


@admin.register(Event)
class EventAdmin(EventSteps, TenantModelAdmin):
    organization_path = organization_column = "org"
    rights: ClassVar = {
        "view": Right.SEE_EVENTS,
        "add": Right.EDIT_EVENTS,
        "change": Right.EDIT_EVENTS,
        "book": Right.CHANGE_BOOKINGS,
        "export": Right.EXPORT_ATTENDEES,
    }
    steps = STEPS
    list_display = ["title", "org", "starts", "stands", "sold", "line"]
    list_filter = [StateFilter, "category", "visibility"]
    list_select_related = ["org", "totals"]
    search_fields = ["title", "place"]
    search_help_text = gettext_lazy("By title or place.")
    date_hierarchy = "event_date"
    ordering = ["-event_date", "-pk"]
    autocomplete_fields = ["org"]
    actions = ["publish_events"]
    saved = gettext_lazy(
        "The draft is saved; nobody sees it yet. Draw a seating plan if it has one, look at the preview, and "
        "publish it when it is ready."
    )

    # The form

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = WordsForm if obj and obj.is_published else EventForm
        return super().get_form(request, obj, change, **{"form": form, **kwargs})

    def get_fieldsets(self, request, obj=None):
        if obj and obj.is_published:
            return [(None, {"fields": SHOWN}), (_("Words"), {"fields": WORDS})]
        choice = ["org"] if obj is None and standing_in(request).sees_all else []
        [(title, first), *others] = DRAFT
        return [(title, {"fields": [*choice, *first]})] + [
            (title, {"fields": names}) for title, names in others
        ]

    def get_fields(self, request, obj=None):
        return [name for _, options in self.get_fieldsets(request, obj) for name in options["fields"]]

    def get_readonly_fields(self, request, obj=None):
        return SHOWN if obj and obj.is_published else []

    def get_changeform_initial_data(self, request):
        """In the zone that the organization says it is in, else that of its latest event."""
        organization = standing_in(request).organization
        zone = organization.settings.get("time_zone") if organization else None
        latest = self.get_queryset(request).order_by("-pk").first()
        return {"time_zone": zone or zone_last_used(latest)}

    def save_model(self, request, obj, form, change):
        """A draft is saved whole; of what is published meanwhile, only the organizer's own words."""
        if not change:
            obj.org = obj.org or standing_in(request).organization
            obj.save()
            return
        names = [name for name in form.cleaned_data if name != "id"]
        if Event.objects.lock(obj.pk).is_published:
            names = [name for name in names if name in WORDS]
        obj.save(update_fields=names)
        if "visibility" in form.changed_data:
            transaction.on_commit(partial(seat_counter.forget, obj.pk), robust=True)

    # The list

    @admin.display(description=gettext_lazy("starts"), ordering="event_date")
    def starts(self, event):
        return f"{short_moment(event.event_date, event)} ({zone_words(event)})"

    @admin.display(description=gettext_lazy("page"))
    def page(self, event):
        """What to send to people."""
        path = reverse("event_detail", args=[event.pk])
        address = event.org.address(path) if event.org else platform_address(path)
        return format_html('<a href="{}">{}</a>', address, address)

    @admin.display(description=gettext_lazy("ends"))
    def ends(self, event):
        return f"{short_moment(event.ends_at, event)} ({zone_words(event)})" if event.ends_at else ""

    @admin.display(description=gettext_lazy("place"))
    def where(self, event):
        return event.place

    @admin.display(description=gettext_lazy("booking"))
    def booking(self, event):
        closes = short_moment(event.closes_at, event)
        if event.booking_opens_at:
            opens = short_moment(event.booking_opens_at, event)
            return _("from %(opens)s until %(closes)s") % {"opens": opens, "closes": closes}
        return _("until %(closes)s") % {"closes": closes}

    @admin.display(description=gettext_lazy("state"), ordering="status")
    def stands(self, event):
        return event.get_status_display() if event.is_published else _("draft")

    @admin.display(description=gettext_lazy("state"))
    def state(self, event):
        if event.is_cancelled and event.cancellation_reason:
            return f"{self.stands(event)}: {event.cancellation_reason}"
        return self.stands(event)

    @admin.display(description=gettext_lazy("seats booked"))
    def sold(self, event):
        booked = event.total_slots - event.available_slots
        words = _("%(booked)s of %(total)s") % {"booked": f"{booked:,}", "total": f"{event.total_slots:,}"}
        if not booked:
            return words
        address = f"{reverse('admin:bookings_booking_changelist')}?{urlencode({'event': event.pk})}"
        return format_html('<a href="{}">{}</a>', address, words)

    @admin.display(description=gettext_lazy("waiting"))
    def line(self, event):
        parties = parties_waiting(event)
        if not parties:
            return ""
        return ngettext("%(n)s party", "%(n)s parties", parties) % {"n": f"{parties:,}"}

    @admin.action(description=gettext_lazy("Publish the chosen drafts"), permissions=["change"])
    def publish_events(self, request, events):
        published = 0
        if (drafts := self.few(request, events.filter(published_at=None))) is None:
            return
        for event in drafts:
            try:
                with logged(self, request, event, _("Publish the event")):
                    publish(event_id=event.pk, now=timezone.now())
            except EventRefused as refused:
                messages.error(request, f"{event}: {refused}")
            else:
                published += 1
        if published:
            told = ngettext("%(n)s event is published now.", "%(n)s events are published now.", published)
            messages.success(request, told % {"n": published})
        else:
            messages.info(request, _("None of these was a draft, so nothing has changed."))
