"""How refusals and failures of the services become answers: the one place that knows their statuses."""

from collections import OrderedDict
from dataclasses import dataclass
from uuid import UUID, uuid4

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.translation import get_language

from bookings import errors
from orgs.kept_form import kept_form
from orgs.look import look

ILL_ASKED = (
    errors.KeyUsedDifferently,
    errors.NoSuchSeat,
    errors.NothingLeft,
    errors.PartyTooLarge,
    errors.SeatNamedTwice,
)
PATIENCE = 5  # seconds after which trying again is worth it
PAGES_KEPT = 500

_sold_out: OrderedDict[tuple, str] = OrderedDict()


@dataclass(frozen=True)
class WayOn:
    """Something that can be had instead: a form with one button."""

    seats: int
    or_wait: bool
    key: UUID


def status_of(refusal: errors.BookingRefused) -> int:
    """422 where it could never be had, 409 where it cannot be had as things stand."""
    return 422 if isinstance(refusal, ILL_ASKED) else 409


def ways_on(refusal: errors.BookingRefused, *, asked: int) -> list[WayOn]:
    """What to offer to somebody who cannot have the `asked` seats."""
    ways = []
    if isinstance(refusal, errors.NotEnoughSeats) and refusal.free:
        ways.append(WayOn(refusal.free, or_wait=False, key=uuid4()))
    if isinstance(refusal, errors.NotEnoughSeats | errors.OthersAreWaiting) and refusal.waitlist:
        ways.append(WayOn(asked, or_wait=True, key=uuid4()))
    return ways


def see_other(*to, **names) -> HttpResponse:
    """303: the form was dealt with, look there."""
    response = redirect(*to, **names)
    response.status_code = 303
    return response


def sold_out(request, event_id: UUID, refusal: errors.NotEnoughSeats) -> HttpResponse:
    """The refusal of the counter: it costs no query, and looks the same to everybody who gets nothing."""
    facts = {"event_id": event_id, "refusal": refusal, "key": uuid4() if refusal.free else None}
    if refusal.free:
        return render(request, "bookings/sold_out.html", facts, status=status_of(refusal))
    place = (event_id, get_language(), request.get_host(), *look(request).values())
    page = _sold_out.get(place)
    if page is None:
        page = _sold_out[place] = render_to_string("bookings/sold_out.html", facts, request)
        while len(_sold_out) > PAGES_KEPT:
            _sold_out.popitem(last=False)
    return HttpResponse(page, status=status_of(refusal))


def busy(request) -> HttpResponse:
    """The database did not answer, or not in time. The form is kept, its key too, so that sending it once
    more can never book twice."""
    response = render(request, "503.html", {"kept": kept_form(request)}, status=503)
    response["Retry-After"] = str(PATIENCE)
    return response
