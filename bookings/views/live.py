"""An event's seats while one looks at its page: as a stream, and to be asked for where none is."""

from django.core.cache import cache
from django.http import JsonResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import conditional_page, require_GET, require_safe

from bookings.seats_shown import states, topic
from bookings.views.finding import event_for
from notifications.live.streams import Stream
from notifications.live.topics import Topic
from notifications.unread import INBOX

FRESH = 1  # seconds for which everybody who asks gets the same answer


@require_GET
def event_stream(request, event_id):
    """The event, with `?seats=1-600` what is taken of that part of its map; and what is new in one's inbox,
    since a page has one stream only. Who is not signed in chooses no seats, and gets the counts alone."""
    person = request.user
    topics = [_topic(request, event_id)]
    if person.is_authenticated:
        topics.append(Topic(INBOX, person.pk))
    return Stream(request, topics)


@require_safe
@conditional_page
@cache_control(private=True, no_cache=True)
def event_state(request, event_id):
    """The same of the event as JSON; 304 where nothing has changed."""
    asked = _topic(request, event_id)
    view = asked.variant
    key = f"event_state:{event_id}:{view.language}:{view.part}"
    return JsonResponse(cache.get_or_set(key, lambda: states([asked])[asked], timeout=FRESH))


def _topic(request, event_id) -> Topic:
    event = event_for(request, event_id)
    first, _, last = request.GET.get("seats", "").partition("-")
    asks_for_a_part = request.user.is_authenticated and _is_seat(first) and _is_seat(last)
    return topic(event, part=(int(first), int(last)) if asks_for_a_part else None)


def _is_seat(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 7
