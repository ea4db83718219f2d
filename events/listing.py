"""The list of events: what is in it, in which order, and how it falls into days.

Without filters it is what goes ahead from now on. Whoever asks for words or for days gone by gets
everything that stands there, marked with what became of it: a cancelled evening that cannot be found
looks like a lost one. Every query walks an index of `events.models` in order and stops after a page.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from django.contrib.postgres.search import SearchQuery
from django.db.models import Q, QuerySet

from events import days
from events.models import SEARCHED, Event
from orgs.keyset import Keyset
from orgs.models import Membership, Organization

BY_START = Keyset("event_date", size=24)
LONGEST_ONGOING = timedelta(days=31)  # what began earlier is found by its dates, not by being under way


@dataclass(frozen=True)
class Day:
    date: date
    events: list[Event]


def listed(chosen: dict, *, now, by: Organization | None = None) -> QuerySet:
    """The events that fit the filters (`ListFilters.chosen`), on the host of `by`; not yet in order."""
    return _fitting(Event.objects.listed(), chosen, now=now, by=by)


def _fitting(events: QuerySet, chosen: dict, *, now, by: Organization | None) -> QuerySet:
    events = events.shown_by(by).select_related("org")
    first, last, words = chosen.get("from"), chosen.get("to"), chosen.get("q")
    if first:
        events = events.filter(days.on_or_after(first))
    elif not last or last >= now.date():
        events = events.filter(
            Q(event_date__gte=now - LONGEST_ONGOING) & (Q(event_date__gte=now) | Q(ends_at__gt=now))
        )
    if last:
        events = events.filter(days.before(last + timedelta(days=1)))
    if not words and not _looks_back(first, last, now=now):
        events = events.going_ahead()
    if words:
        events = events.alias(searched=SEARCHED).filter(searched=_search(words))
    if category := chosen.get("category"):
        events = events.filter(category=category)
    if org := chosen.get("org"):
        events = events.filter(org=org)
    if chosen.get("available"):
        events = events.filter(is_bookable=True)
    return events


def for_members(person, chosen: dict, *, now, by: Organization | None = None) -> QuerySet | None:
    """The members' events of the organizations that `person` belongs to, that fit the same filters; None for
    who is not signed in. A list of its own beside `listed`: each is read in order by its own index."""
    if not person.is_authenticated:
        return None
    theirs = Membership.objects.active().filter(user_id=person.pk).values("organization_id")
    events = Event.objects.published().filter(
        visibility=Event.Visibility.MEMBERS, org__status=Organization.Status.ACTIVE, org__in=theirs
    )
    return _fitting(events, chosen, now=now, by=by)


def by_day(events: Iterable[Event]) -> list[Day]:
    """The events under the days of their own calendars, so that each day stands once on a page."""
    dated = sorted(
        ((event.local(event.event_date).date(), event) for event in events),
        key=lambda pair: (pair[0], pair[1].event_date),
    )
    return [
        Day(day, [event for _, event in pairs]) for day, pairs in groupby(dated, key=lambda pair: pair[0])
    ]


def _looks_back(first: date | None, last: date | None, *, now) -> bool:
    return any(day and day < now.date() for day in (first, last))


def _search(words: str) -> SearchQuery:
    """As a search engine reads it, or every word as the beginning of one, which helps who is still typing."""
    as_written = SearchQuery(words, search_type="websearch", config="simple")
    beginnings = " & ".join(f"{word}:*" for word in re.findall(r"\w+", words)[:10])
    if not beginnings:
        return as_written
    return as_written | SearchQuery(beginnings, search_type="raw", config="simple")
