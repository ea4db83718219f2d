"""Remind people of events, at the hours that the organization has set.

A reminder is planned when its moment has come, not before: so an event that moves, is cancelled or loses a
person needs no plan undone. That everybody was told stands in a finished job of the event, so asking again,
by two timetables or by hand, reminds nobody twice. A job that was ended before its last page is no record:
the reminder is planned again, and the outbox leaves out whoever had it already.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from bookings.models import EventJob
from bookings.models.job import plain
from bookings.reminders import (
    DEFAULT_HOURS,
    LONGEST_HOURS,
    SETTING,
    Reminded,
    Reminder,
    due_reminder,
    hours_of,
)
from bookings.telling import about_event, of_each_person
from events.models import Event
from notifications import fanout
from orgs.crash_points import crash_point
from orgs.models import Organization

PAGE = 2_000
EVENTS_AT_ONCE = 500
ROOM = timedelta(hours=26)  # more than clocks are ever set back in between


def owe_reminders(*, now: datetime) -> list[Reminder]:
    """Leave a job for each reminder that is due; returns them."""
    reminders = list(due_reminders(now=now))
    for reminder in reminders:
        EventJob.objects.owe(
            reminder.event,
            EventJob.Kind.REMIND,
            due_at=reminder.moment,
            date=reminder.event.event_date,
            number=reminder.number,
            hours=reminder.hours,
        )
    return reminders


def due_reminders(*, now: datetime) -> Iterator[Reminder]:
    """The reminders whose moment has come and that were not planned yet."""
    soon = Q(event_date__lte=now + timedelta(hours=max(DEFAULT_HOURS)) + ROOM) | Q(
        org__settings__has_key=SETTING, event_date__lte=now + timedelta(hours=LONGEST_HOURS) + ROOM
    )
    events = (
        Event.objects.filter(soon, status=Event.Status.UPCOMING, event_date__gt=now)
        .filter(totals__confirmed_bookings__gt=0)
        .exclude(published_at=None)
        .exclude(org__status=Organization.Status.CLOSED)
        .exclude(org=None)
        .select_related("org")
        .order_by("event_date", "pk")
    )
    page: list[Event] = []
    for event in events.iterator(chunk_size=EVENTS_AT_ONCE):
        page.append(event)
        if len(page) == EVENTS_AT_ONCE:
            yield from _due_of(page, now=now)
            page = []
    yield from _due_of(page, now=now)


def remind(*, job: EventJob, now: datetime) -> bool:
    """Owe the next page of an event's people their reminder; returns whether more are left. An event that is
    not what it was when the reminder fell due reminds nobody any more."""
    with transaction.atomic(durable=True):
        job = EventJob.objects.lock().get(pk=job.pk)
        if job.finished_at:
            return False
        event, page, told_date = Event.objects.select_related("org").get(pk=job.event_id), [], None
        if _is_still_to_come(event, job, now=now):
            told_date = event.event_date
            confirmed = event.bookings.confirmed_by(job.due_at)
            page = list(confirmed.after(job.cursor).order_by("pk").to_be_told()[:PAGE])
            fanout.tell(
                [
                    about_event(
                        "event_reminder",
                        event,
                        bookings,
                        version=f"{job.details['date']}:{job.details['number']}",
                        hours=job.details["hours"],
                    )
                    for bookings in of_each_person(page, among=confirmed)
                ],
                now=now,
            )
        job.turn_page(page, last=len(page) < PAGE, now=now, told_date=told_date)
        crash_point("fan_out:page_planned")
    return job.finished_at is None


def _due_of(events: list[Event], *, now: datetime) -> Iterator[Reminder]:
    reminded = _reminded(events)
    for event in events:
        hours = hours_of(event.org.settings)
        if reminder := due_reminder(event, hours=hours, reminded=reminded[event.pk], now=now):
            yield reminder


def _reminded(events: list[Event]) -> dict[UUID, list[Reminded]]:
    """What each event's people were reminded of its date by. Whoever is told of a new date is reminded by
    that of every moment that has passed."""
    dates = {event.pk: event.event_date for event in events}
    reminded = defaultdict(list)
    kinds = [EventJob.Kind.REMIND, EventJob.Kind.TELL_OF_CHANGE]
    for job in EventJob.objects.filter(event_id__in=dates, kind__in=kinds):
        date, details = dates[job.event_id], job.details
        if not job.counts_as_told(date):
            continue
        if job.kind == EventJob.Kind.TELL_OF_CHANGE and "event_date" in details["was"]:
            moved_at = datetime.fromisoformat(details["changed_at"])
            reminded[job.event_id].append(Reminded(0, moved_at))
        elif details.get("date") == plain(date):
            reminded[job.event_id].append(Reminded(details["number"], job.due_at))
    return reminded


def _is_still_to_come(event: Event, job: EventJob, *, now: datetime) -> bool:
    return (
        event.status == Event.Status.UPCOMING
        and event.event_date > now
        and plain(event.event_date) == job.details["date"]
        and event.org is not None
        and event.org.status != Organization.Status.CLOSED
    )
