"""Book seats, or a place in line.

Requests of one process for one event that arrive together are answered in one transaction, in the order in
which they came (`bookings.combining`): each is granted or refused by itself, and a refusal is raised to its
asker alone. If the transaction fails they are tried one by one; if it is not known whether it was committed,
what stands is looked up before anybody is answered.

Before that each request sets its seats aside in the counter (`bookings.seat_counter`), which refuses where
there is nothing to be had. Claim, transaction and commit are one attempt: if Redis fails meanwhile it is
rolled back, and made again guarded by PostgreSQL alone.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial
from time import monotonic
from uuid import UUID

from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction

from bookings import counts, latecomers, seat_counter
from bookings.combining import PATIENCE, Gather, Ticket, TurnNeverCame, Turns
from bookings.errors import BookingRefused, KeyUsedDifferently, NotEnoughSeats
from bookings.models import Booking
from bookings.seat_counter import Claim, CounterRefuses
from bookings.services.granting import Granted, Request, answer_all
from bookings.services.mending import mends_free_runs
from bookings.waitlist import LARGEST_PARTY
from events.models import Event
from orgs.crash_points import crash_point

HARDLY_WAITED = 1.0  # seconds: who has waited longer than this for the lead has less patience for the lock


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
    claim: Claim | None = None,
    arrived: float | None = None,
) -> Booking:
    """Book `seats` seats side by side where possible, or exactly `seat_nos`; with `or_wait` a place in line
    if the queue's rule does not confirm the party now.

    The same `key` with the same request gives the first answer, whatever has happened since.

    Args:
        actor_id: who books, where it is not the person (`user_id`).
        claim: the seats, where `set_aside` has been asked for them already.
        arrived: when the request reached this process, by the monotonic clock: those that are answered
            together are answered in this order.

    Raises:
        Event.DoesNotExist, TurnNeverCame, LeaderLost, and of `bookings.errors`: EventCancelled, Closed,
        NotOpenYet, NotBookable, NothingLeft, PartyTooLarge, NoSuchSeat, SeatNamedTwice, OwnLimit,
        NotEnoughSeats, SeatsTaken, OthersAreWaiting, KeyUsedDifferently.
    """
    claim = claim or set_aside(event_id=event_id, seats=seats, seat_nos=seat_nos, key=key, now=now)
    request = Request(
        user_id=user_id,
        seats=len(seat_nos) if seat_nos else seats or 0,
        now=now,
        claim=claim,
        seat_nos=tuple(sorted(seat_nos or ())),
        or_wait=or_wait and not seat_nos,
        key=key,
        by="person" if actor_id in (None, user_id) else "organizer",
    )
    crash_point("book:claimed")
    try:
        _ensure_durable()
        granted = TURNS.ask(event_id, request, arrived=arrived)
    except BaseException as error:
        claim.give_back(forgets_form=_booked_nothing(error))
        counts.not_granted(error)
        raise
    counts.granted(is_new=granted.is_new, is_confirmed=granted.booking.is_confirmed)
    if granted.took_seats:
        claim.settle()
    else:
        claim.give_back()
    crash_point("book:given_back")
    return granted.booking


def set_aside(
    *,
    event_id: UUID,
    now: datetime,
    seats: int | None = None,
    seat_nos: list[int] | None = None,
    key: UUID | None = None,
    looks_only: bool = False,
) -> Claim:
    """Ask the counter for a party's seats, before anything is read from PostgreSQL.

    Args:
        looks_only: leave the seats where they are, and only hear whether they would be refused.

    Raises:
        NotEnoughSeats: there are not so many, and nothing to wait for.
    """
    party = len(set(seat_nos)) if seat_nos else seats or 0
    if not 1 <= party <= LARGEST_PARTY or (seat_nos and len(seat_nos) != party):
        return Claim(event_id)
    try:
        highest = max(seat_nos or [0])
        return seat_counter.claim(
            event_id, seats=party, highest=highest, key=key, now=now, looks_only=looks_only
        )
    except CounterRefuses as refusal:
        final = NotEnoughSeats(asked=party, free=refusal.left, waitlist=False)
        counts.not_granted(final)
        latecomers.note(event_id)
        raise final from None


def _ensure_durable() -> None:
    if connection.in_atomic_block and not connection.atomic_blocks[-1]._from_testcase:
        raise RuntimeError("book is durable: whoever leads would commit it outside of this transaction.")


def _booked_nothing(error: BaseException) -> bool:
    """Whether the form is known to have made no booking, now or earlier; of a failure nobody knows."""
    return isinstance(error, BookingRefused) and not isinstance(error, KeyUsedDifferently)


def _serve(event_id: UUID, gather: Gather, patience: float = PATIENCE) -> None:
    """Answer everybody who waits at this event, in one transaction. Its row is waited for no longer than
    `patience` seconds are left."""
    tickets: list[Ticket] = []
    outcomes: Iterable[Granted | Exception] = []
    try:
        with transaction.atomic(durable=True):
            transaction.on_commit(partial(crash_point, "book:committed"))
            if patience < PATIENCE - HARDLY_WAITED:
                _wait_no_longer_than(patience)
            event = Event.objects.lock(event_id)
            crash_point("book:locked")
            tickets = gather()
            answers = answer_all(event, [ticket.request for ticket in tickets])
            crash_point("book:written")
            _ensure_claims_hold(tickets)
            outcomes = answers  # from here on they may be true
    except ClaimsLost:
        for ticket in tickets:
            ticket.request = replace(ticket.request, claim=Claim(event_id))
        _serve(event_id, lambda: tickets)  # once more, guarded by PostgreSQL alone
        return
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


def _wait_no_longer_than(seconds: float) -> None:
    """For locks, in the transaction that is open."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{max(1, int(1_000 * seconds))}ms"])


class ClaimsLost(Exception):
    """Redis failed while seats were claimed there and not yet booked."""


def _ensure_claims_hold(tickets: list[Ticket]) -> None:
    if any(ticket.request.claim.is_lost for ticket in tickets):
        raise ClaimsLost


def _one_by_one(event_id: UUID, tickets: list[Ticket]) -> Iterator[Granted | Exception]:
    """The answers that a transaction shared with others could not give; once patience has run out, the
    rest are not looked at."""
    until = monotonic() + PATIENCE
    for ticket in tickets:
        try:
            if monotonic() > until:
                raise TurnNeverCame
            if ticket.request.claim.is_lost:
                ticket.request = replace(ticket.request, claim=Claim(event_id))
            yield _book_alone(event_id=event_id, request=ticket.request)
        except Exception as error:
            yield error


@mends_free_runs
def _book_alone(*, event_id: UUID, request: Request, mend_runs: bool = False) -> Granted:
    with transaction.atomic(durable=True):
        [outcome] = answer_all(Event.objects.lock(event_id), [request], mend_runs=mend_runs)
        if isinstance(outcome, Exception):
            raise outcome
    return outcome


def _what_stands(event_id: UUID, outcomes: list[Granted | Exception]) -> list[Granted | Exception]:
    """What a commit of unknown outcome made true: all of it or nothing, refusals too, since they were decided
    beside the bookings. The lost transaction holds the event's row for as long as it lives, so whoever has
    locked it sees what became of it."""
    promised = {outcome.booking.pk for outcome in outcomes if isinstance(outcome, Granted) and outcome.is_new}
    try:
        with transaction.atomic(durable=True):
            event = Event.objects.lock(event_id)
            is_committed = event.bookings.filter(pk__in=promised).count() == len(promised)
    except (DatabaseError, InterfaceError) as error:
        return [error] * len(outcomes)
    if is_committed:
        return outcomes
    return [OperationalError("The connection was lost before anything was booked.")] * len(outcomes)
