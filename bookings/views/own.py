"""A person's own bookings: the list, and each one's page."""

from datetime import timedelta

from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from bookings import queue_mirror, story
from bookings.models import Booking, BookingHistory
from bookings.views.finding import OWN_BOOKING, booking_for, person_id_of
from bookings.views.panel import parties_waiting
from bookings.waitlist import place_in_line
from events import keeping
from orgs.composed import Composed, read_together
from orgs.keyset import Keyset
from orgs.models.user import PERSON

NEWS_FOR = timedelta(minutes=2)  # so long a booking's page greets whoever has just made it
COMING = Keyset("event__event_date", size=20)
HISTORY = Composed(lambda booking: BookingHistory.objects.of_booking(booking))
GONE = Keyset("event__event_date", newest_first=True, size=20)


@login_required
@require_safe
def booking_list(request):
    past = request.GET.get("when") == "past"
    is_over = Q(end__lt=timezone.now()) | Q(event__status="completed")
    bookings = (
        Booking.objects.held_by(request.user.pk)
        .select_related("event")
        .defer("event__layout", "event__description")
        .alias(end=Coalesce("event__ends_at", "event__event_date"))
        .filter(is_over if past else ~is_over)
    )
    page = (GONE if past else COMING).page(bookings, place=request.GET)
    return render(
        request,
        "bookings/booking_list.html",
        {"page": page, "past": past, "query": "when=past" if past else ""},
    )


def booking_detail(request, booking_id):
    ahead = []
    if person := person_id_of(request):
        ahead = [(PERSON, (person,)), (OWN_BOOKING, (booking_id, person)), (HISTORY, (booking_id,))]
    with read_together(*ahead):
        return _booking_page(request, booking_id)


@login_required
@require_safe
def _booking_page(request, booking_id):
    booking = booking_for(request.user, booking_id)
    event, layout = booking.event, booking.event.seating
    entries = HISTORY.all(booking.pk)
    passed, passed_more = story.passings(booking, entries)
    now = timezone.now()
    changeable = may_change(booking, now=now)
    is_new = len(entries) == 1 and now < booking.created_at + NEWS_FOR
    return keeping.page(
        request,
        "bookings/booking_detail.html",
        {
            "booking": booking,
            "is_new": is_new,
            "event": event,
            "seats": story.seats_in_words(booking.seat_nos, layout),
            "place": (queue_mirror.place(booking) or place_in_line(booking)) if booking.is_waiting else None,
            "waiting": parties_waiting(event),
            "chapters": story.told(entries, layout),
            "passings": passed,
            "passed_more": passed_more,
            "may_change": changeable,
            "ending": entries[-1].details if booking.is_cancelled and entries else {},
        },
        depends_on=(
            *(event, event.online_url, event.cancellation_reason),
            *(booking.status, booking.seats, changeable, is_new),
        ),
    )


def may_change(booking: Booking, *, now) -> bool:
    """Whether changing and giving back still work, as the services will see it."""
    event = booking.event
    return not booking.is_cancelled and not event.is_final and now < event.closes_at
