"""Book seats, or a place in line.

Requests of one process for one event that arrive together are answered in one transaction, in the order in
which they came (`bookings.combining`): each is granted or refused by itself, and a refusal is raised to its
asker alone. If the transaction fails they are tried one by one; if it is not known whether it was committed,
what stands is looked up before anybody is answered.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from time import monotonic
from uuid import UUID

from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction

from bookings.combining import PATIENCE, Gather, Ticket, TurnNeverCame, Turns
from bookings.models import Booking
from bookings.services.granting import Request, answer_all
from bookings.services.mending import mends_free_runs
from events.models import Event
from orgs.crash_points import crash_point


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
    if connection.in_atomic_block and not connection.atomic_blocks[-1]._from_testcase:
        raise RuntimeError("book is durable: whoever leads would commit it outside of this transaction.")
    return TURNS.ask(event_id, request)


def _serve(event_id: UUID, gather: Gather) -> None:
    """Answer everybody who waits at this event, in one transaction."""
    tickets: list[Ticket] = []
    outcomes: Iterable[Booking | Exception] = []
    try:
        with transaction.atomic(durable=True):
            event = Event.objects.lock(event_id)
            tickets = gather()
            crash_point("book:locked")
            outcomes = answer_all(event, [ticket.request for ticket in tickets])
            crash_point("book:written")
        crash_point("book:committed")
    except Exception:
        if not tickets:
            raise
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
        outcomes = _what_stands(event_id, outcomes) if outcomes else _one_by_one(event_id, tickets)
    for ticket, outcome in zip(tickets, outcomes, strict=False):  # each as soon as it is known
        if isinstance(outcome, Exception):
            ticket.settle(error=outcome)
        else:
            ticket.settle(answer=outcome)


TURNS = Turns(_serve)


def _one_by_one(event_id: UUID, tickets: list[Ticket]) -> Iterator[Booking | Exception]:
    """The answers that a transaction shared with others could not give; once patience has run out, the
    rest are not looked at."""
    until = monotonic() + PATIENCE
    for ticket in tickets:
        try:
            if monotonic() > until:
                raise TurnNeverCame
            yield _book_alone(event_id=event_id, request=ticket.request)
        except Exception as error:
            yield error


@mends_free_runs
def _book_alone(*, event_id: UUID, request: Request, mend_runs: bool = False) -> Booking:
    with transaction.atomic(durable=True):
        [outcome] = answer_all(Event.objects.lock(event_id), [request], mend_runs=mend_runs)
        if isinstance(outcome, Exception):
            raise outcome
    return outcome


def _what_stands(event_id: UUID, outcomes: list[Booking | Exception]) -> list[Booking | Exception]:
    """What a commit of unknown outcome made true. The lost transaction holds the event's row for as long as
    it lives, so whoever has locked it sees what became of it."""
    lost = OperationalError("The connection was lost before the booking was made.")
    promised = [outcome.pk for outcome in outcomes if isinstance(outcome, Booking)]
    try:
        with transaction.atomic(durable=True):
            event = Event.objects.lock(event_id)
            stand = set(event.bookings.filter(pk__in=promised).values_list("pk", flat=True))
    except (DatabaseError, InterfaceError) as error:
        return [error] * len(outcomes)
    return [
        lost if isinstance(outcome, Booking) and outcome.pk not in stand else outcome for outcome in outcomes
    ]
