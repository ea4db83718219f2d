"""Whoever comes too late where others did a moment ago is told so before anybody asks who it is.

Of the thousands who want the same seats nearly all are refused, and all in the same words: so neither session
nor token is looked at, and nothing is remembered. The counter is asked all the same, and a form that it has
seen, or that could have anything at all, goes on to the view.
"""

import re
from collections.abc import Callable
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation

from bookings import latecomers, services
from bookings.errors import NotEnoughSeats
from bookings.forms import BookForm
from bookings.views.answers import sold_out
from bookings.views.finding import is_at_home

_BOOK = re.compile(r"/events/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/book/")


class TooLate:
    """Middleware, outside of sessions."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return _refusal(request) or self._get_response(request)


def _refusal(request: HttpRequest) -> HttpResponse | None:
    found = _BOOK.fullmatch(request.path) if request.method == "POST" else None
    event_id = UUID(found[1]) if found else None
    if not event_id or not latecomers.came_lately(event_id) or not is_at_home(request, event_id):
        return None
    form = BookForm(request.POST)
    if not form.is_valid():
        return None
    key = form.cleaned_data["idempotency_key"]
    try:
        services.set_aside(event_id=event_id, key=key, **form.party, now=timezone.now(), looks_only=True)
    except NotEnoughSeats as refusal:
        if not refusal.free:
            return _sold_out(request, event_id, refusal)
    return None


def _sold_out(request: HttpRequest, event_id: UUID, refusal: NotEnoughSeats) -> HttpResponse:
    with translation.override(translation.get_language_from_request(request)):
        answer = sold_out(request, event_id, refusal)
    answer["X-Frame-Options"] = settings.X_FRAME_OPTIONS  # what stands inside would say so
    return answer
