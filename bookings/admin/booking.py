"""Bookings in the admin: to be read, and changed by actions that call the services."""

from django.contrib import admin, messages
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from bookings import services
from bookings.admin.forms import ReasonForm
from bookings.admin.steps import step
from bookings.errors import BookingRefused
from bookings.models import Booking, BookingHistory, BookingSeat
from orgs.admin_site import ReadOnlyAdmin


class SeatInline(admin.TabularInline):
    model = BookingSeat
    fields = readonly_fields = ["seat_no", "status", "updated_at"]
    extra = 0
    can_delete = False
    ordering = ["seat_no"]

    def has_add_permission(self, request, obj):
        return False


@admin.register(Booking)
class BookingAdmin(ReadOnlyAdmin):
    change_form_template = "admin/booking_change_form.html"
    list_display = ["created_at", "event", "user", "seats", "status", "waiting_number"]
    list_filter = ["status"]
    list_select_related = ["event", "user"]
    search_fields = ["user__email", "user__name", "event__title"]
    ordering = ["-created_at"]
    inlines = [SeatInline]
    actions = ["cancel_bookings"]

    @admin.action(description=_("Cancel the chosen bookings"), permissions=["view"])
    def cancel_bookings(self, request, bookings):
        """Asks first; then each is a transaction of its own, and one refused does not stop the rest."""
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
                services.cancel(booking_id=booking.pk, actor_id=request.user.pk, now=timezone.now())
                cancelled += 1
            except BookingRefused as refused:
                messages.error(request, f"{booking.user}, {booking.event}: {refused}")
        messages.success(
            request, _("%(n)s bookings are cancelled, and their people told.") % {"n": cancelled}
        )
        return None

    def get_urls(self):
        promote = path(
            "<uuid:pk>/promote/", self.admin_site.admin_view(self.promote), name="bookings_booking_promote"
        )
        return [promote, *super().get_urls()]

    def promote(self, request, pk):
        booking = get_object_or_404(self.get_queryset(request), pk=pk)

        def do(form):
            services.promote(
                booking_id=pk,
                reason=form.cleaned_data["reason"],
                actor_id=request.user.pk,
                now=timezone.now(),
            )
            return _("The booking is confirmed out of turn.")

        return step(
            self,
            request,
            obj=booking,
            form=ReasonForm(request.POST or None),
            title=_("Promote out of turn"),
            warning=_("Everybody who is passed sees when it happened and reads this reason, but no name."),
            button=_("Promote"),
            back=reverse("admin:bookings_booking_change", args=[pk]),
            do=do,
        )


@admin.register(BookingHistory)
class HistoryAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "action", "booking_id", "event_id", "details"]
    list_filter = ["action"]
    search_fields = ["=booking_id", "=event_id", "=user_id"]
    ordering = ["-created_at"]
