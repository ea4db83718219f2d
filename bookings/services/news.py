"""Tell an event's people that it moved, once the changes have come to rest."""

from datetime import datetime

from django.db import transaction

from bookings.models import EventJob
from bookings.models.job import plain
from bookings.telling import about_event, booked_since_it_moved, of_each_person, seen_by
from events.models import Event
from notifications import fanout
from orgs.crash_points import crash_point

PAGE = 2_000


def tell_of_change(*, job: EventJob, now: datetime) -> bool:
    """Owe the next page of an event's people the news that it moved; returns whether more are left.

    Only the job is locked, not the event: booking goes on. Where the event is by now as it was before the
    first change, and nobody was told anything else, there is no news. That the link to join is another is
    none for who waits, and nothing is news to who booked after the change.
    """
    with transaction.atomic(durable=True):
        job = EventJob.objects.lock().get(pk=job.pk)
        if job.finished_at:
            return False
        event = Event.objects.get(pk=job.event_id)  # after the lock: as the change left it that we waited for
        was, page, told_date = _what_was(job, event), [], None
        if was or job.details.get("some_were_told"):
            told_date = event.event_date
            page = list(event.bookings.active().after(job.cursor).order_by("pk").to_be_told()[:PAGE])
            know_it = booked_since_it_moved(event, {booking.user_id for booking in page})
            news = [
                about_event("event_updated", event, bookings, change={"was": seen})
                for bookings in of_each_person(page, among=event.bookings.active())
                if (seen := seen_by(bookings, was)) and not know_it.issuperset(each.pk for each in bookings)
            ]
            fanout.tell(news, now=now)
            fanout.supersede(
                ["event_reminder"],
                by="event_updated",
                event_id=event.pk,
                user_ids={message.user_id for message in news},
                now=now,
            )
        job.turn_page(page, last=len(page) < PAGE, now=now, told_date=told_date)
        crash_point("fan_out:page_planned")
    return job.finished_at is None


def _what_was(job: EventJob, event: Event) -> dict:
    """What the event was before the first change, as far as it is otherwise now."""
    was = job.details["was"]
    if job.details.get("some_were_told"):
        return was
    return {name: before for name, before in was.items() if plain(getattr(event, name)) != before}
