"""The history of bookings: what was done, when and by whose decision. Nothing here can be changed."""

from typing import ClassVar

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from bookings.admin.filters import EventFilter
from bookings.models import BookingHistory
from events.models import Event
from orgs.admin_site import LongList, ReadOnlyAdmin
from orgs.models import User
from orgs.models.permissions import Right

WORDS = {
    "seats": _("seats"),
    "was": _("before"),
    "seat_nos": _("which seats"),
    "gave_back": _("gave back"),
    "took": _("took"),
    "by": _("by"),
    "reason": _("reason"),
    "because": _("because of"),
    "status": _("status"),
    "waiting_number": _("waiting number"),
    "stood_at": _("stood at"),
}
REASONS = {
    "event_cancelled": _("the event was cancelled"),
    "not_promoted": _("booking closed before it was their turn"),
    "person": _("the person themselves"),
    "organizer": _("an organizer"),
    "system": _("the system"),
    "rule": _("the rule of the line"),
}  # what services write there; an organizer's own reason stands as it is


@admin.register(BookingHistory)
class HistoryAdmin(LongList, ReadOnlyAdmin):
    person_path, newest_by = "user_id", "created_at"
    organization_path = "org_id"
    rights: ClassVar = {"view": Right.SEE_BOOKINGS}
    list_display = ["created_at", "action", "facts"]
    list_filter = ["action", EventFilter]
    ordering = ["-created_at", "-pk"]
    fields = ["created_at", "action", "event", "person", "facts"]
    readonly_fields = fields

    @admin.display(description=_("details"))
    def facts(self, line):
        """What is known of it, in words."""
        told = [
            f"{word}: {', '.join(map(str, value)) if isinstance(value, list) else REASONS.get(value, value)}"
            for key, word in WORDS.items()
            if (value := line.details.get(key)) not in (None, "", [])
        ]
        return "; ".join(told)

    @admin.display(description=_("event"))
    def event(self, line):
        event = Event.objects.filter(pk=line.event_id, org_id=line.org_id).first()
        if event is None:
            return _("An event that is no longer there")
        return format_html(
            '<a href="{}">{}</a>', reverse("admin:events_event_change", args=[event.pk]), event
        )

    @admin.display(description=_("person"))
    def person(self, line):
        return str(User.objects.filter(pk=line.user_id).first() or _("Somebody who left"))
