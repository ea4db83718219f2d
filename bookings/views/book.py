"""Booking: the event page's form comes in, a booking's page or a way on goes out.

The counter is asked before a row of anything is read: whoever comes too late for an event without a waitlist
is told so (where others came too late a moment ago, `too_late` has done that before anybody gets here).
"""

from uuid import UUID

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.views import redirect_to_login
from django.db import OperationalError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from bookings import services
from bookings.combining import LeaderLost, TurnNeverCame
from bookings.errors import BookingRefused, NotEnoughSeats
from bookings.forms import BookForm
from bookings.views.answers import busy, see_other, sold_out, status_of
from bookings.views.event_page import event_page
from bookings.views.finding import event_for, is_at_home
from events.models import Event
from orgs.crash_points import crash_point
from orgs.rate_limits import seconds_to_wait, too_many


@require_http_methods(["GET", "HEAD", "POST"])
def book(request, event_id):
    if request.method != "POST":
        return redirect("event_detail", event_id)  # the address of an answer, opened again
    form, now = BookForm(request.POST), timezone.now()
    asked = {}
    if form.is_valid():
        asked = {"event_id": event_id, "key": form.cleaned_data["idempotency_key"], **form.party}
    if SESSION_KEY not in request.session:
        return _sign_in_for(event_id)
    if not is_at_home(request, event_id):
        event_for(request, event_id)  # on the host of an organization its own events are booked, no others
    if wait := seconds_to_wait(request, "book"):
        return too_many(request, wait)  # before any seat is set aside for them
    if not asked:
        return event_page(request, event_for(request, event_id), form=form, status=422)
    try:
        claim = services.set_aside(**asked, now=now)
    except NotEnoughSeats as refusal:
        return sold_out(request, event_id, refusal)
    is_signed_in = False
    try:
        is_signed_in = request.user.is_authenticated  # which asks the database
    except OperationalError:
        return busy(request)
    finally:
        if not is_signed_in:
            claim.give_back()
    if not is_signed_in:
        return _sign_in_for(event_id)
    try:
        booking = services.book(
            **asked,
            user_id=request.user.pk,
            or_wait=form.cleaned_data["or_wait"],
            now=now,
            claim=claim,
            arrived=request.arrived,
        )
    except BookingRefused as refusal:
        event = event_for(request, event_id)
        return event_page(request, event, form=form, refusal=refusal, status=status_of(refusal))
    except Event.DoesNotExist:
        raise Http404 from None
    except (OperationalError, TurnNeverCame, LeaderLost):
        return busy(request)
    crash_point("book:answered")
    return see_other("booking_detail", booking.pk)


def _sign_in_for(event_id: UUID) -> HttpResponse:
    return redirect_to_login(reverse("event_detail", args=[event_id]))
