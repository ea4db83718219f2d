"""Pages of sold-out events stand as long as the events stay as they were.

A visitor in front of a sold-out event need not ask PostgreSQL whether it still is: who frees a seat says so
(`public_pages.forget`), and because somebody who was killed says nothing, this looks every twenty seconds
whether the pages still say what is true, and vouches for those alone.
"""

from datetime import datetime

from django.http import HttpResponse

from bookings.views.panel import SOLD_OUT, WAITLIST, parties_waiting, state_of
from events import public_pages
from events.models import Event


def stamp_of(event: Event) -> str:
    """All that the page of a stranger is made of: the event as of one version of its row, which each change
    counts up; its organization; the line."""
    by = event.org.updated_at.timestamp() if event.org else ""
    return f"{event.version}:{by}:{parties_waiting(event)}"


def let_stand(page: HttpResponse, event: Event, *, now: datetime) -> None:
    """Have the page kept for strangers, if the event is sold out."""
    if _is_sold_out(event, now=now):
        until = min(event.closes_at, event.ends_at or event.event_date)
        public_pages.stands(page, stamp=stamp_of(event), until=until)


def vouch(*, now: datetime) -> int:
    """Vouch for the pages that are true; returns of how many events.

    Raises:
        Away: of `orgs.breaker`.
    """
    asked = public_pages.standing()
    found = Event.objects.published().select_related("org", "totals").filter(pk__in=asked)
    stamps = {event.pk: stamp_of(event) for event in found if _is_sold_out(event, now=now)}
    public_pages.vouch(stamps, stand_no_more=asked - stamps.keys())
    return len(stamps)


def _is_sold_out(event: Event, *, now: datetime) -> bool:
    return state_of(event, now=now) in (SOLD_OUT, WAITLIST)
