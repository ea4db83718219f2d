"""Confirm who waits: by the queue's rule, or out of turn by an organizer who says why."""

from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import transaction

from bookings.box_office import BoxOffice
from bookings.errors import NotEnoughSeats, NotWaiting, ReasonMissing
from bookings.models import Booking
from bookings.models.job import EventJob
from bookings.services.mending import mends_free_runs
from orgs.crash_points import crash_point


@mends_free_runs
def promote(
    *, booking_id: UUID, reason: str, actor_id: UUID, now: datetime, mend_runs: bool = False
) -> Booking:
    """Confirm a waiting booking before its turn; everybody it passes can read that, and the reason.

    Raises:
        Booking.DoesNotExist, and of `bookings.errors`: EventCancelled, Closed, NotBookable, NotWaiting,
        NotEnoughSeats, ReasonMissing.
    """
    if not reason.strip():
        raise ReasonMissing
    event_id = Booking.objects.values_list("event_id", flat=True).get(pk=booking_id)
    with transaction.atomic(durable=True):
        transaction.on_commit(partial(crash_point, "promote:committed"))
        office = BoxOffice.open(event_id, now=now, mend_runs=mend_runs)
        office.settle()
        office.ensure_bookable()
        booking = office.booking(booking_id)
        if not booking.is_waiting:
            raise NotWaiting(booking)
        if booking.seats > office.free:
            raise NotEnoughSeats(asked=booking.seats, free=office.free, waitlist=True)
        office.promote(booking, by="organizer", reason=reason.strip(), actor=actor_id)
        office.close()
    return booking


@mends_free_runs
def settle(*, event_id: UUID, now: datetime, mend_runs: bool = False) -> bool:
    """Promote whom the rule promotes, at most `waitlist.MOST_PROMOTIONS`; returns whether that was all."""
    with transaction.atomic(durable=True):
        office = BoxOffice.open(event_id, now=now, mend_runs=mend_runs)
        office.settle()
        office.close()
        if not office.owes_promotions:
            EventJob.objects.finish(event_id, EventJob.Kind.SETTLE_QUEUE, now=now)
    return not office.owes_promotions
