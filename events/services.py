"""What can be done to an event and owes nobody a message: make it, edit a draft, publish, let time pass.

What people have to be told of (moving, capacity, cancelling) stands in `bookings.services`, above.
Each public function is one durable transaction; `now` is an argument.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce

from events.models import Event
from events.seating import LARGEST, Layout, LayoutError
from events.zones import FIRST_YEAR, LAST_YEAR

PAGE = 500
ASSUMED_LENGTH = timedelta(hours=3)  # of an event that names no end: when it counts as over

COPIED = [
    *["description", "category", "time_zone", "total_slots", "visibility", "place", "online_url", "layout"],
    *["waitlist", "queue_rule", "max_seats_per_booking", "max_seats_per_person"],
]


class EventRefused(Exception):
    """The event cannot be like that; the message says why."""


def create_event(*, org_id, now, published=False, **facts) -> Event:
    """Make an event, a draft unless `published`.

    `facts` are fields of Event; with a `layout` the seats are the plan's, unless `total_slots` says fewer.

    Raises:
        EventRefused: times that do not fit, a plan that cannot be read, or more seats than it has.
    """
    with transaction.atomic(durable=True):
        event = Event(org_id=org_id, **facts)
        _check(event)
        event.published_at = now if published else None
        event.save(force_insert=True)
        event.refresh_from_db()
    return event


def edit_draft(*, event_id, **facts) -> Event:
    """Change anything of an event that has not been published.

    Raises:
        EventRefused: it is published, or cannot be like that.
    """
    with transaction.atomic(durable=True):
        event = Event.objects.lock(event_id)
        if event.is_published:
            raise EventRefused("This event is published: move it, change its capacity or cancel it instead.")
        for name, value in facts.items():
            setattr(event, name, value)
        _check(event)
        event.save(update_fields=list(facts) + (["total_slots"] if "layout" in facts else []))
        event.refresh_from_db()
    return event


def copy_event(*, event_id, title: str, event_date: datetime) -> Event:
    """Make a draft like an event, with a title and a start of its own; its end and the times of booking keep
    their distance from the start on the clock of the place, whatever the clocks are put to in between.

    Raises:
        EventRefused: it cannot be at that time.
    """
    model = Event.objects.get(pk=event_id)
    facts = {name: getattr(model, name) for name in COPIED}
    for name in ("ends_at", "booking_opens_at", "booking_closes_at"):
        if moment := getattr(model, name):
            apart = _wall(moment, model) - _wall(model.event_date, model)
            facts[name] = (_wall(event_date, model) + apart).replace(tzinfo=model.zone)
    return create_event(org_id=model.org_id, title=title, event_date=event_date, now=None, **facts)


def publish(*, event_id, now) -> Event:
    """Let people see and book a draft; publishing twice changes nothing."""
    with transaction.atomic(durable=True):
        event = Event.objects.lock(event_id)
        if not event.is_published:
            _check(event)
            event.published_at = now
            event.save(update_fields=["published_at"])
            event.refresh_from_db()
    return event


def advance(*, now) -> dict[str, int]:
    """Let events begin and end by the clock; returns how many became ongoing and how many completed."""
    return {status: _pass_on(events, status) for status, events in _behind(now).items()}


def count_behind(*, now) -> dict[str, int]:
    """How many `advance` would let begin, and end."""
    return {status: events.count() for status, events in _behind(now).items()}


def _behind(now) -> dict[str, QuerySet[Event]]:
    """The events that are not yet what they should be by the clock, by what that is."""
    published = Event.objects.published()  # a draft has no life yet that could end for good
    begun = published.filter(event_date__lte=now).alias(
        over=Coalesce("ends_at", F("event_date") + ASSUMED_LENGTH)
    )
    return {
        "completed": begun.filter(status__in=[Event.Status.UPCOMING, Event.Status.ONGOING], over__lte=now),
        "ongoing": begun.filter(status=Event.Status.UPCOMING, over__gt=now),
    }


def _pass_on(events, status: str) -> int:
    """Give `events` the status, a page a transaction; who holds a row just now is passed on next time."""
    total = 0
    while True:
        with transaction.atomic(durable=True):
            page = events.select_for_update(no_key=True, of=("self",), skip_locked=True).order_by("pk")
            ids = list(page.values_list("pk", flat=True)[:PAGE])
            Event.objects.filter(pk__in=ids).update(status=status)
        total += len(ids)
        if len(ids) < PAGE:
            return total


def _wall(moment: datetime, event: Event) -> datetime:
    """What the clock on the wall of the event's place shows."""
    return moment.astimezone(event.zone).replace(tzinfo=None)


def _check(event: Event) -> None:
    if not all(
        FIRST_YEAR <= moment.year <= LAST_YEAR for moment in (event.event_date, event.ends_at) if moment
    ):
        raise EventRefused(f"The event must lie between the years {FIRST_YEAR} and {LAST_YEAR}.")
    if event.ends_at and event.ends_at <= event.event_date:
        raise EventRefused("The event must end after it starts.")
    opens, closes = event.booking_opens_at, event.booking_closes_at
    if opens and closes and closes <= opens:
        raise EventRefused("Booking must close after it opens.")
    if event.layout:
        try:
            plan = Layout.parse(event.layout)
        except LayoutError as error:
            raise EventRefused(str(error)) from error
        event.total_slots = event.total_slots or plan.seats
        if event.total_slots > plan.seats:
            raise EventRefused(f"The seating plan has {plan.seats} seats, fewer than {event.total_slots}.")
    if not event.total_slots or event.total_slots < 1:
        raise EventRefused("An event needs at least one seat.")
    if event.total_slots > LARGEST:
        raise EventRefused(f"An event can have at most {LARGEST:,} seats.")
