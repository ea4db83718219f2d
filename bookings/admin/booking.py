"""Bookings in the admin: to be read, and changed by actions and steps that call the services."""

from typing import ClassVar

from django.contrib import admin, messages
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from bookings import services
from bookings.admin.booking_steps import STEPS, BookingSteps
from bookings.admin.filters import EventFilter, OfEvents
from bookings.errors import BookingRefused
from bookings.models import Booking, BookingSeat
from bookings.telling import seat_labels
from events.templatetags.event_words import short_moment
from orgs.admin_site import LongList, ReadOnlyAdmin, TenantTabularInline, logged
from orgs.models.permissions import Right


class SeatInline(TenantTabularInline):
    model = BookingSeat
    organization_path = "event__org"
    rights: ClassVar = {"view": Right.SEE_BOOKINGS}
    fields = readonly_fields = ["label", "status", "updated_at"]
    ordering = ["seat_no"]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("event")

    @admin.display(description=gettext_lazy("seat"))
    def label(self, seat):
        [label] = seat_labels(seat.event, [seat.seat_no])
        return label


@admin.register(Booking)
class BookingAdmin(BookingSteps, OfEvents, LongList, ReadOnlyAdmin):
    organization_path = "event__org"
    rights: ClassVar = {"view": Right.SEE_BOOKINGS, "cancel": Right.CHANGE_BOOKINGS}
    steps = STEPS
    list_display = ["person", "event", "seats", "status", "waiting_number", "booked"]
    list_display_links = ["person"]
    list_filter = ["status", EventFilter]
    list_select_related = ["event", "user"]
    search_fields = ["user__name", "user__email"]
    search_help_text = gettext_lazy("By the person's name or address.")
    ordering = ["-pk"]
    sortable_by = ["seats", "status", "waiting_number"]
    fields = ["person", "address", "event", "seats", "status", "waiting_number", "booked"]
    readonly_fields = fields
    inlines = [SeatInline]
    actions = ["cancel_bookings"]

    @admin.display(description=gettext_lazy("person"))
    def person(self, booking):
        return str(booking.user)

    @admin.display(description=gettext_lazy("address"))
    def address(self, booking):
        return booking.user.email or ""

    @admin.display(description=gettext_lazy("booked"))
    def booked(self, booking):
        return short_moment(booking.created_at, booking.event)

    @admin.action(description=gettext_lazy("Cancel the chosen bookings"), permissions=["cancel"])
    def cancel_bookings(self, request, bookings):
        """Asks first; then each is a transaction of its own, and one refused does not stop the rest."""
        if (bookings := self.few(request, bookings)) is None:
            return None
        if "confirmed" not in request.POST:
            context = {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "title": _("Cancel these bookings?"),
                "bookings": bookings,
            }
            return TemplateResponse(request, "admin/cancel_bookings.html", context)
        cancelled = 0
        for booking in bookings:
            try:
                with logged(self, request, booking, _("Cancel the booking")):
                    services.cancel(booking_id=booking.pk, actor_id=request.user.pk, now=timezone.now())
            except BookingRefused as refused:
                messages.error(request, f"{booking.user}, {booking.event}: {refused.for_organizer}")
            else:
                cancelled += 1
        if cancelled:
            told = ngettext(
                "%(n)s booking is cancelled, and its person told.",
                "%(n)s bookings are cancelled, and their people told.",
                cancelled,
            )
            messages.success(request, told % {"n": cancelled})
        return None

    def has_cancel_permission(self, request):
        return self.may(request, "cancel")
