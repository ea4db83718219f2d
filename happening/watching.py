"""The outermost middleware: notes when a request came, gives it an id, times it, and has its facts said with
what is logged.

The id is the proxy's where there is one and it is well formed, else made here; the answer carries it as
`X-Request-ID`, so that what somebody saw can be found in the log. It costs a request some microseconds.
"""

import logging
import re
from time import monotonic, perf_counter
from uuid import UUID, uuid4

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest, HttpResponse

from happening.metrics.requests import counting
from happening.views import bad_request
from orgs.log_facts import said_with

WELL_FORMED = re.compile(r"[A-Za-z0-9-]{8,64}")
SLOW = 1.0  # seconds; what takes longer is said where not every request is
UNSEEN = ("/healthz", "/readyz", "/metrics", "/static/")  # asked all the time, by programs

logger = logging.getLogger("happening.requests")


class WatchingMiddleware:
    def __init__(self, get_response):
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        begun = perf_counter()
        request.arrived = monotonic()  # who came first is served first
        request.id = _id_of(request)
        with said_with(
            request=request.id,
            actor=lambda: actor_of(request),
            organization=lambda: organization_of(request),
        ):
            response = self._get_response(request) if is_whole(request) else bad_request(request, None)
            seconds = perf_counter() - begun
            counting.request(request, response, seconds=seconds)
            _say(request, response, seconds)
        response["X-Request-ID"] = request.id
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        counting.exception(exception)


def is_whole(request: HttpRequest) -> bool:
    """Whether the length of what was sent is a number; Django takes it for one."""
    return (request.META.get("CONTENT_LENGTH") or "0").isdecimal()


def actor_of(request: HttpRequest) -> UUID | str | None:
    """Who is signed in, if that is known already: nobody is looked up for the log."""
    session = getattr(request, "session", None)
    held = getattr(session, "_session_cache", None)
    return held.get(SESSION_KEY) if held else None


def organization_of(request: HttpRequest) -> UUID | None:
    organization = getattr(request, "organization", None)
    return organization.pk if organization else None


def _id_of(request: HttpRequest) -> str:
    brought = request.META.get("HTTP_X_REQUEST_ID", "") if settings.ALLAUTH_TRUSTED_PROXY_COUNT else ""
    return brought if WELL_FORMED.fullmatch(brought) else uuid4().hex


def _say(request: HttpRequest, response: HttpResponse, seconds: float) -> None:
    """A line a request, where the settings ask for it; what was slow or broke, always."""
    level = logging.WARNING if response.status_code >= 500 or seconds >= SLOW else logging.INFO
    if level == logging.INFO and (not settings.LOG_REQUESTS or request.path.startswith(UNSEEN)):
        return
    view = getattr(request.resolver_match, "view_name", None) or "-"
    milliseconds = round(seconds * 1_000, 1)
    facts = {"method": request.method, "view": view, "status": response.status_code, "ms": milliseconds}
    logger.log(level, "%s %s %d", request.method, request.path, response.status_code, extra={"facts": facts})
