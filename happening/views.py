"""Pages that belong to no app: what is shown when something went wrong. None of them asks the database."""

import sys

from django.db import InterfaceError, OperationalError
from django.shortcuts import render
from django.urls import reverse

from bookings.views.answers import busy


def page_expired(request, reason=""):
    """The form's proof of origin did not hold: the page was open too long, or cookies are off."""
    return render(request, "page_expired.html", {"back": _page_of(request)}, status=403)


def bad_request(request, exception):
    return render(request, "400.html", status=400)


def forbidden(request, exception):
    return render(request, "403.html", status=403)


def not_found(request, exception):
    return render(request, "404.html", status=404)


def too_many_requests(request):
    """Too many attempts from one place or at one account; most limits are by the minute."""
    answer = render(request, "429.html", status=429)
    answer["Retry-After"] = "60"
    return answer


def server_error(request):
    """A database that is away or too busy passes; anything else is a fault of ours."""
    if isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        return busy(request)
    return render(request, "500.html", status=500)


def _page_of(request) -> str:
    """The page that holds the form that was sent."""
    match = request.resolver_match
    if match and match.url_name == "book":
        return reverse("event_detail", kwargs=match.kwargs)
    if match and match.url_name in ("notification_read", "inbox_read_all"):
        return reverse("inbox")
    return request.path
