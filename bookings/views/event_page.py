"""An event's page: what it is, and how to get a seat. It lives here because it is where one books."""

from uuid import uuid4

from django.utils import timezone
from django.views.decorators.http import require_safe

from bookings import standing_pages
from bookings.models import Booking
from bookings.views import panel
from bookings.views.answers import ways_on
from bookings.views.finding import EVENT_AND_NEWS, event_for, person_id_of
from bookings.views.seat_map import seat_map
from events import keeping
from events.models import Event
from orgs.composed import Composed, read_together
from orgs.models.user import PERSON

OWN_SHOWN = 10
OWN = Composed(
    lambda event, person: (
        Booking.objects.held_by(person)
        .active()
        .filter(event_id=event)
        .order_by("-created_at", "-id")[:OWN_SHOWN]
    ),
    parameters=2,
)


@require_safe
def event_detail(request, event_id):
    ahead = []
    if person := person_id_of(request):
        both = (event_id, person)
        ahead = [(PERSON, (person,)), (EVENT_AND_NEWS, both), (OWN, both)]
    with read_together(*ahead):
        event = event_for(request, event_id)
        page = event_page(request, event)
    standing_pages.let_stand(page, event, now=timezone.now())
    return page


def event_page(request, event: Event, *, form=None, refusal=None, status=200):
    """The page, with what came of a form that could not be granted: the words, and what to do instead."""
    now = timezone.now()
    state = panel.state_of(event, now=now)
    own = _own_bookings(event, request.user)
    largest = panel.largest_party(event)
    or_wait = form.data.get("or_wait") is not None if form else True
    is_signed_in = request.user.is_authenticated
    may_join = any(booking.is_confirmed for booking in own)
    has_map = bool(event.layout) and state == panel.OPEN and is_signed_in
    return keeping.page(
        request,
        "bookings/event_detail.html",
        {
            "event": event,
            "now": now,
            "state": state,
            "waiting": panel.parties_waiting(event),
            "largest": largest,
            "own": own,
            "may_join": may_join,
            "map": _map_asked_for(event, request, form) if has_map else None,
            "trouble": (form.sentence if form and not form.is_valid() else "") or refusal,
            "ways_on": ways_on(refusal, asked=_asked(form)) if refusal else [],
            "earlier_booking": getattr(refusal, "booking", None),
            "seats_asked": form.data.get("seats", "") if form else "",
            "or_wait": or_wait,
            "keys": {"count": uuid4(), "map": uuid4()},
        },
        depends_on=(
            *(event, state, bool(event.available_slots), bool(event.layout), event.cancellation_reason),
            *(event.online_url, may_join, largest, or_wait, has_map, is_signed_in),
        ),
        status=status,
    )


def _map_asked_for(event: Event, request, form):
    chosen = form.chosen if form else []
    return seat_map(event, event.seating, part=request.GET.get("section", ""), chosen=chosen)


def _own_bookings(event: Event, person) -> list[Booking]:
    if not person.is_authenticated:
        return []
    return OWN.all(event.pk, person.pk)


def _asked(form) -> int:
    return len(form.chosen) or form.cleaned_data["seats"]
