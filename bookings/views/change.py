"""Changing and giving back a booking: a page that says what will happen, then the form that does it."""

from uuid import uuid4

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import OperationalError
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from bookings import services
from bookings.errors import BookingRefused, NotEnoughSeats
from bookings.forms import CancelForm, ModifyForm
from bookings.models import Booking
from bookings.story import seats_in_words
from bookings.views import panel
from bookings.views.answers import busy, see_other, status_of
from bookings.views.finding import booking_for
from bookings.views.own import may_change
from bookings.views.seat_map import seat_map
from orgs.rate_limits import limited


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@limited("book")
def booking_modify(request, booking_id):
    booking = booking_for(request.user, booking_id)
    if request.method != "POST":
        if not may_change(booking, now=timezone.now()):
            return _too_late(request, booking)
        return _modify_page(request, booking)
    form = ModifyForm(request.POST)
    if not form.is_valid():
        return _modify_page(request, booking, form=form, status=422)
    try:
        services.modify(
            booking_id=booking.pk,
            version=form.cleaned_data["version"],
            actor_id=request.user.pk,
            now=timezone.now(),
            **form.party,
        )
    except BookingRefused as refusal:
        booking = booking_for(request.user, booking_id)  # as it is now
        return _modify_page(request, booking, form=form, refusal=refusal, status=status_of(refusal))
    except Booking.DoesNotExist:
        raise Http404 from None
    except OperationalError:
        return busy(request)
    messages.success(request, _("Your booking is changed."))
    return see_other("booking_detail", booking.pk)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@limited("book")
def booking_cancel(request, booking_id):
    booking = booking_for(request.user, booking_id)
    if booking.is_cancelled:
        return see_other("booking_detail", booking.pk)
    if request.method != "POST":
        if not may_change(booking, now=timezone.now()):
            return _too_late(request, booking)
        return _cancel_page(request, booking)
    form = CancelForm(request.POST)
    if not form.is_valid():
        trouble = _("This form was damaged on its way. Here is a fresh one.")
        return _cancel_page(request, booking, trouble=trouble, status=422)
    try:
        services.cancel(
            booking_id=booking.pk,
            version=form.cleaned_data["version"],
            actor_id=request.user.pk,
            now=timezone.now(),
        )
    except BookingRefused as refusal:
        booking = booking_for(request.user, booking_id)  # as it is now
        return _cancel_page(request, booking, trouble=refusal, status=status_of(refusal))
    except Booking.DoesNotExist:
        raise Http404 from None
    except OperationalError:
        return busy(request)
    messages.success(
        request,
        _("You have left the line.")
        if booking.is_waiting
        else _("Your booking is cancelled. The seats go on."),
    )
    return see_other("booking_detail", booking.pk)


def _modify_page(request, booking: Booking, *, form=None, refusal=None, status=200):
    event, layout = booking.event, booking.event.seating
    own = booking.seat_nos
    chosen = form.chosen if form and form.chosen else own
    return render(
        request,
        "bookings/booking_modify.html",
        {
            "booking": booking,
            "event": event,
            "seats": seats_in_words(own, layout),
            "map": seat_map(event, layout, part=request.GET.get("section", ""), chosen=chosen, own=own)
            if layout and booking.is_confirmed
            else None,
            "largest": panel.largest_party(event),
            "seats_asked": form.data.get("seats") or booking.seats if form else booking.seats,
            "trouble": (form.sentence if form and not form.is_valid() else "") or refusal,
            "may_change": may_change(booking, now=timezone.now()),
            "missing": refusal if isinstance(refusal, NotEnoughSeats) and booking.is_confirmed else None,
            "key": uuid4(),
        },
        status=status,
    )


def _cancel_page(request, booking: Booking, *, trouble="", status=200):
    event = booking.event
    return render(
        request,
        "bookings/booking_cancel.html",
        {
            "booking": booking,
            "event": event,
            "seats": seats_in_words(booking.seat_nos, event.seating),
            "waiting": panel.parties_waiting(event),
            "may_change": may_change(booking, now=timezone.now()),
            "trouble": trouble,
        },
        status=status,
    )


def _too_late(request, booking: Booking):
    messages.warning(request, _("This booking cannot be changed any more. Below is why."))
    return redirect("booking_detail", booking.pk)
