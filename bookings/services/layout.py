"""Give a published event another seating plan."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from bookings import free_runs
from bookings.box_office import BoxOffice
from bookings.errors import BookedSeatRenamed, Closed, EventCancelled, PlanLeavesSeatsOut, PlanUnreadable
from bookings.services.mending import mends_free_runs
from bookings.telling import seat_labels
from events.models import Event
from events.seating import Layout, LayoutError


@mends_free_runs
def change_layout(
    *,
    event_id: UUID,
    layout: dict | None,
    actor_id: UUID | None,
    now: datetime,
    mend_runs: bool = False,
) -> Event:
    """Draw the house anew; None takes the plan away. The number of seats on sale stays as it is.

    Whoever holds a seat was told what stands on it, so a booked seat keeps its words: rows can be added at
    the end, aisles moved, free seats renamed.

    Raises:
        Event.DoesNotExist, and of `bookings.errors`: PlanUnreadable, EventCancelled, Closed (it is over),
        PlanLeavesSeatsOut, BookedSeatRenamed.
    """
    try:
        plan = Layout.parse(layout) if layout else None
    except LayoutError as error:
        raise PlanUnreadable(str(error)) from error
    with transaction.atomic(durable=True):
        office = BoxOffice.open(event_id, now=now, mend_runs=mend_runs)
        event = office.event
        if event.is_cancelled:
            raise EventCancelled
        if event.is_final:
            raise Closed
        if plan and plan.seats < event.total_slots:
            raise PlanLeavesSeatsOut(plan=plan.seats, on_sale=event.total_slots)
        booked = list(event.booked_seats.booked().order_by("seat_no").values_list("seat_no", flat=True))
        was = seat_labels(event, booked)
        event.layout = layout or None
        vars(event).pop("seating", None)  # read from the plan before
        for before, after in zip(was, seat_labels(event, booked), strict=True):
            if before != after:
                raise BookedSeatRenamed(was=before, becomes=after)
        event.save(update_fields=["layout"])
        free_runs.rebuild(event)
        office.settle()
        office.close()
    return event
