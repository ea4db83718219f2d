"""Book seats, or a place in line.

Requests of one process for one event that arrive together are answered in one transaction, in the order in
which they came (`bookings.combining`): each is granted or refused by itself, and a refusal is raised to its
asker alone. If the transaction fails they are tried one by one; if it is not known whether it was committed,
their keys are looked up before anybody is answered.
"""

from datetime import datetime
from uuid import UUID

from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction

from bookings.combining import Gather, Ticket, Turns
from bookings.errors import BookingRefused
from bookings.models import Booking
from bookings.services.granting import Request, answer_all
from bookings.services.mending import mends_free_runs
from events.models import Event


def book(
    *,
    event_id: UUID,
    user_id: UUID,
    now: datetime,
    seats: int | None = None,
    seat_nos: list[int] | None = None,
    or_wait: bool = False,
    key: UUID | None = None,
    actor_id: UUID | None = None,
) -> Booking:
    """Book `seats` seats side by side where possible, or exactly `seat_nos`; with `or_wait` a place in line
    if the queue's rule does not confirm the party now.

    The same `key` with the same request gives the first answer, whatever has happened since.

    Args:
        actor_id: who books, where it is not the person (`user_id`).

    Raises:
        Event.DoesNotExist, TurnNeverCame, and of `bookings.errors`: EventCancelled, Closed, NotOpenYet,
        NotBookable, NothingLeft, PartyTooLarge, NoSuchSeat, SeatNamedTwice, OwnLimit, NotEnoughSeats,
        SeatsTaken, OthersAreWaiting, KeyUsedDifferently.
    """
    request = Request(
        user_id=user_id,
        seats=len(seat_nos) if seat_nos else seats or 0,
        now=now,
        seat_nos=tuple(sorted(seat_nos or ())),
        or_wait=or_wait and not seat_nos,
        key=key,
        by="person" if actor_id in (None, user_id) else "organizer",
    )
    return TURNS.ask(event_id, request)


def _serve(event_id: UUID, gather: Gather) -> None:
    """Answer everybody who waits at this event, in one transaction."""
    tickets: list[Ticket] = []
    committing = False
    try:
        with transaction.atomic(durable=True):
            event = Event.objects.lock(event_id)
            tickets = gather()
            outcomes = answer_all(event, [ticket.request for ticket in tickets])
            committing = True
    except (DatabaseError, InterfaceError):
        if not tickets:
            raise
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
        again = _found if committing else _alone
        outcomes = [again(event_id, ticket.request) for ticket in tickets]
    for ticket, outcome in zip(tickets, outcomes, strict=True):
        if isinstance(outcome, Exception):
            ticket.settle(error=outcome)
        else:
            ticket.settle(answer=outcome)


TURNS = Turns(_serve)


def _alone(event_id: UUID, request: Request) -> Booking | Exception:
    """The answer to one request that a transaction shared with others could not give."""
    try:
        return _book_alone(event_id=event_id, request=request)
    except (BookingRefused, DatabaseError, InterfaceError) as error:
        return error


@mends_free_runs
def _book_alone(*, event_id: UUID, request: Request, mend_runs: bool = False) -> Booking:
    with transaction.atomic(durable=True):
        [outcome] = answer_all(Event.objects.lock(event_id), [request], mend_runs=mend_runs)
        if isinstance(outcome, Exception):
            raise outcome
    return outcome


def _found(event_id: UUID, request: Request) -> Booking | Exception:
    """What a commit of unknown outcome made of a request. The lost transaction holds the event's row for as
    long as it lives, so whoever has locked it sees what became of it."""
    try:
        with transaction.atomic(durable=True):
            event = Event.objects.lock(event_id)
            held = event.bookings.held_by(request.user_id)
            booking = held.filter(idempotency_key=request.key).first() if request.key else None
    except (DatabaseError, InterfaceError) as error:
        return error
    return booking or OperationalError("The connection was lost before the booking was made.")
