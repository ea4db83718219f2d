"""What is new in one's inbox while one looks at a page: as a stream, and to be asked for where none is."""

from django.http import HttpResponseForbidden, JsonResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import conditional_page, require_GET, require_safe

from notifications.live.streams import Stream
from notifications.live.topics import Topic
from notifications.unread import INBOX, states


@require_GET
def inbox_stream(request):
    if not request.user.is_authenticated:
        return _for_nobody()
    return Stream(request, [Topic(INBOX, request.user.pk)])


@require_safe
@conditional_page
@cache_control(private=True, no_cache=True)
def inbox_state(request):
    """The same as JSON; 304 where nothing has changed."""
    if not request.user.is_authenticated:
        return _for_nobody()
    return JsonResponse(states([request.user.pk])[request.user.pk])


def _for_nobody():
    """Not the way to the sign-in page, which a script can do nothing with."""
    return HttpResponseForbidden("Sign in to see what is new.\n", content_type="text/plain")
