"""Calendars to take away: one event as a file, the list as a feed to subscribe to.

An event keeps its UID for good and its SEQUENCE counts changes of time and place, so a calendar that
knows it updates it instead of adding another. Times are local with their zone's rules beside them. The
link to join is for people with a booking and never stands here.
"""

from urllib.parse import urlsplit

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe
from icalendar import Calendar
from icalendar import Event as Entry

from events.forms import ListFilters
from events.listing import listed
from events.models import Event
from events.visibility import may_see
from orgs.rate_limits import limited

MOST = 500  # entries of a feed


@require_safe
def event_ics(request, event_id):
    event = get_object_or_404(Event.objects.select_related("org"), pk=event_id)
    if not (event.is_shown_by(request.organization) and may_see(event, request.user)):
        raise Http404
    return _answer(calendar([event], name=event.title), filename="event.ics")


@require_safe
@limited("search", methods=("GET", "HEAD"))
def events_ics(request):
    """The list as a feed; it takes the list's filters."""
    host = request.organization
    chosen = ListFilters(request.GET, host=host).chosen
    events = listed(chosen, now=timezone.now(), by=host).order_by("event_date", "id")[:MOST]
    return _answer(calendar(events, name=host.name if host else "Happening"), filename="events.ics")


def calendar(events, *, name: str) -> Calendar:
    feed = Calendar()
    feed.add("prodid", "-//Happening//Events//EN")
    feed.add("version", "2.0")
    feed.add("x-wr-calname", " ".join(name.split()))
    for event in events:
        feed.add_component(_entry(event))
    feed.add_missing_timezones()
    return feed


def _entry(event: Event) -> Entry:
    entry = Entry()
    entry.add("uid", f"event-{event.pk}@{urlsplit(settings.SITE_URL).hostname}")
    entry.add("sequence", event.sequence)
    entry.add("dtstamp", event.updated_at)
    entry.add("dtstart", event.local(event.event_date))
    if event.ends_at:
        entry.add("dtend", event.local(event.ends_at))
    entry.add("summary", event.title)
    if event.place:
        entry.add("location", event.place)
    if event.description:
        entry.add("description", event.description)
    entry.add("url", settings.SITE_URL.rstrip("/") + reverse("event_detail", args=[event.pk]))
    entry.add("status", "CANCELLED" if event.is_cancelled else "CONFIRMED")
    return entry


def _answer(feed: Calendar, *, filename: str) -> HttpResponse:
    response = HttpResponse(feed.to_ical(), content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = f'inline; filename="{filename}"'
    return response
