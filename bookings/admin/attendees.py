"""The list of an event's people, as a file to take along."""

from collections.abc import Iterator

from django.contrib.postgres.aggregates import ArrayAgg
from django.core.exceptions import BadRequest
from django.db.models import Q
from django.http import HttpResponse
from django.utils.translation import gettext as _

from bookings.models import Booking
from bookings.telling import seat_labels
from events.models import Event
from events.templatetags.event_words import short_moment
from orgs.admin_site import table_response

PAGE = 2_000
FORMS = ("csv", "xlsx")


def attendees_response(model_admin, request, event: Event) -> HttpResponse:
    """Everybody who is confirmed or waits, as `?form=csv` or `xlsx`; that it was taken stands in the log."""
    form = request.GET.get("form", "csv")
    if form not in FORMS:
        raise BadRequest("There is no such form of the list.")
    model_admin.log_change(request, event, _("The list of attendees was exported."))
    columns = [
        _("Name"),
        _("Address"),
        _("State"),
        _("Seats"),
        _("Which seats"),
        _("Waiting number"),
        _("Booked"),
    ]
    return table_response(
        _("%(title)s attendees") % {"title": event.title}, columns=columns, rows=_rows(event), form=form
    )


def _rows(event: Event) -> Iterator[list]:
    """Page by page behind the last booking seen, so that no connection holds a cursor between them."""
    last = None
    while True:
        page = list(
            Booking.objects.active()
            .filter(event=event)
            .after(last)
            .select_related("user")
            .annotate(
                seat_nos=ArrayAgg(
                    "booked_seats__seat_no",
                    filter=Q(booked_seats__status="booked"),
                    order_by="booked_seats__seat_no",
                )
            )
            .order_by("pk")[:PAGE]
        )
        for booking in page:
            yield [
                str(booking.user),
                booking.user.email or "",
                booking.get_status_display(),
                booking.seats,
                "; ".join(seat_labels(event, booking.seat_nos or [])),
                booking.waiting_number or "",
                short_moment(booking.created_at, event),
            ]
        if len(page) < PAGE:
            return
        last = page[-1].pk
