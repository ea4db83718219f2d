"""The list of events. An event's own page is where one books, so it lives in `bookings`."""

from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from events.chips import chips
from events.forms import ListFilters
from events.listing import BY_START, by_day, listed
from orgs.rate_limits import limited


@require_safe
@limited("search", methods=("GET", "HEAD"))
def event_list(request):
    filters = ListFilters(request.GET, host=request.organization)
    chosen = filters.chosen
    now = timezone.now()
    events = listed(chosen, now=now, by=request.organization).defer("layout", "description")
    page = BY_START.page(events, place=request.GET)
    query = request.GET.copy()
    for name in ("after", "before"):
        query.pop(name, None)
    return render(
        request,
        "events/event_list.html",
        {
            "filters": filters,
            "chips": chips(filters, query),
            "days": by_day(page),
            "page": page,
            "query": query.urlencode(),
        },
    )
