"""Booking: the event page's form comes in, a booking's page or a way on goes out."""

from django.contrib.auth.views import redirect_to_login
from django.db import OperationalError
from django.http import Http404
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from bookings import services
from bookings.combining import LeaderLost, TurnNeverCame
from bookings.errors import BookingRefused
from bookings.forms import BookForm
from bookings.views.answers import busy, see_other, status_of
from bookings.views.event_page import event_page
from bookings.views.finding import event_for
from events.models import Event


@require_http_methods(["GET", "HEAD", "POST"])
def book(request, event_id):
    page = reverse("event_detail", args=[event_id])
    if request.method != "POST":
        return redirect(page)  # the address of an answer, opened again
    if not request.user.is_authenticated:
        return redirect_to_login(page)
    event = event_for(request, event_id)
    form = BookForm(request.POST)
    if not form.is_valid():
        return event_page(request, event, form=form, status=422)
    try:
        booking = services.book(
            event_id=event.pk,
            user_id=request.user.pk,
            or_wait=form.cleaned_data["or_wait"],
            key=form.cleaned_data["idempotency_key"],
            now=timezone.now(),
            **form.party,
        )
    except BookingRefused as refusal:
        event = event_for(request, event_id)  # as it is now
        return event_page(request, event, form=form, refusal=refusal, status=status_of(refusal))
    except Event.DoesNotExist:
        raise Http404 from None
    except (OperationalError, TurnNeverCame, LeaderLost):
        return busy(request)
    return see_other("booking_detail", booking.pk)
