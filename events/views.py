"""The list of events. An event's own page is where one books, so it lives in `bookings`."""

from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from events.chips import chips
from events.forms import ListFilters
from events.listing import BY_START, by_day, for_members, listed
from orgs.rate_limits import limited


@require_safe
@limited("search", methods=("GET", "HEAD"))
def event_list(request):
    filters = ListFilters(request.GET, host=request.organization)
    chosen = filters.chosen
    now = timezone.now()
    lists = [listed(chosen, now=now, by=request.organization)]
    if (members_own := for_members(request.user, chosen, now=now, by=request.organization)) is not None:
        lists.append(members_own)
    page = BY_START.page(*(events.defer("layout", "description") for events in lists), place=request.GET)
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
            "now": now,
            "page": page,
            "query": query.urlencode(),
        },
    )
