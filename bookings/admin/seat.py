"""Seats that are or were booked: who sits where."""

from typing import ClassVar

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from bookings.admin.filters import EventFilter, OfEvents
from bookings.admin.proof import ProofDesk
from bookings.models import BookingSeat
from bookings.telling import seat_labels
from orgs.admin_site import LongList, ReadOnlyAdmin
from orgs.models.permissions import Right


@admin.register(BookingSeat)
class SeatAdmin(ProofDesk, OfEvents, LongList, ReadOnlyAdmin):
    person_path = "booking__user"
    organization_path = "event__org"
    rights: ClassVar = {"view": Right.SEE_BOOKINGS}
    list_display = ["label", "event", "person", "status", "updated_at"]
    list_display_links = ["label"]
    list_filter = ["status", EventFilter]
    list_select_related = ["event", "booking__user"]
    search_fields = ["booking__user__name", "booking__user__email"]
    search_help_text = _("By the person's name or address.")
    ordering = ["-pk"]
    fields = ["label", "event", "person", "status", "created_at", "updated_at"]
    readonly_fields = fields

    @admin.display(description=_("seat"), ordering="seat_no")
    def label(self, seat):
        [label] = seat_labels(seat.event, [seat.seat_no])
        return label

    @admin.display(description=_("person"))
    def person(self, seat):
        return str(seat.booking.user)
