"""Move an event in time or place; everybody with a booking is told once the changes have come to rest."""

from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.db import transaction

from bookings import seat_counter
from bookings.box_office import BoxOffice
from bookings.errors import (
    Closed,
    ClosesBeforeItOpens,
    EventCancelled,
    NoSuchTime,
    StartsInThePast,
    TimesDoNotFit,
)
from bookings.models.job import EventJob
from bookings.services.mending import mends_free_runs
from events.models import Event
from events.zones import FIRST_YEAR, LAST_YEAR
from notifications import fanout

REST = timedelta(minutes=2)  # from the first change until people are told, so that several become one message
MOVABLE = ("event_date", "ends_at", "time_zone", "place", "online_url")
# For so long reminders wait that say what was before: longer than telling of the change takes.
HELD = REST + timedelta(minutes=3)
DATE = {"event_date", "time_zone"}  # what a reminder's moment is reckoned from


@mends_free_runs
def reschedule(
    *,
    event_id: UUID,
    event_date: datetime,
    ends_at: datetime | None,
    time_zone: str,
    place: str,
    online_url: str,
    actor_id: UUID | None,
    now: datetime,
    mend_runs: bool = False,
) -> Event:
    """Give an event its new start, end, zone, place and link to join, which is the place of an online event;
    the same as before changes nothing and tells nobody.

    A moment set for the end of booking moves along with the start. Reminders that wait are held back, after
    the commit, until the news ends them; where the change is taken back they go out a little later.

    Raises:
        Event.DoesNotExist, and of `bookings.errors`: EventCancelled, Closed (it is over), NoSuchTime,
        StartsInThePast, TimesDoNotFit, ClosesBeforeItOpens.
    """
    new = {
        "event_date": event_date,
        "ends_at": ends_at,
        "time_zone": time_zone,
        "place": place,
        "online_url": online_url,
    }
    if not all(FIRST_YEAR <= moment.year <= LAST_YEAR for moment in (event_date, ends_at) if moment):
        raise NoSuchTime(first_year=FIRST_YEAR, last_year=LAST_YEAR)
    if ends_at and ends_at <= event_date:
        raise TimesDoNotFit
    with transaction.atomic(durable=True):
        office = BoxOffice.open(event_id, now=now, mend_runs=mend_runs)
        event = office.event
        if event.is_cancelled:
            raise EventCancelled
        if event.is_final:
            raise Closed
        was = {name: getattr(event, name) for name in MOVABLE if getattr(event, name) != new[name]}
        if not was:
            return event
        if "event_date" in was and event_date <= now:
            raise StartsInThePast
        if event.booking_closes_at:
            event.booking_closes_at += event_date - event.event_date
        for name in MOVABLE:
            setattr(event, name, new[name])
        if event.booking_opens_at and event.closes_at <= event.booking_opens_at:
            raise ClosesBeforeItOpens(event.booking_opens_at)
        event.sequence += 1
        if event.status == Event.Status.ONGOING and event_date > now:
            event.status = Event.Status.UPCOMING
        event.save(update_fields=[*MOVABLE, "booking_closes_at", "sequence", "status"])
        if event.is_published:
            _interrupt_reminding(event, for_good=bool(was.keys() & DATE), now=now)
            EventJob.objects.owe_news(event, was=was, by=actor_id, now=now, due_at=now + REST)
        transaction.on_commit(partial(seat_counter.forget, event_id), robust=True)
        office.settle()
        office.close()
    if event.jobs.filter(kind=EventJob.Kind.REMIND).exists():
        fanout.hold_back(["event_reminder"], event_id=event_id, until=now + HELD, now=now)
    return event


def _interrupt_reminding(event: Event, *, for_good: bool, now: datetime) -> None:
    """Have a page that is being written finished before, and the next one know of the change; with another
    date there is none."""
    reminding = EventJob.objects.filter(event=event, kind=EventJob.Kind.REMIND, finished_at=None)
    if list(reminding.lock()) and for_good:
        EventJob.objects.finish(event.pk, EventJob.Kind.REMIND, now=now)
