"""The proof that no seat is sold twice and none is lost: an event's numbers, each counted its own way.

Seats booked = all seats - available_slots = all seats - seats in free runs. What Redis says stands beside
it and may be behind.
"""

from dataclasses import dataclass, replace
from uuid import UUID

from django.db import connection
from django.db.models import Count, F, Max, Min, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce

from bookings import queue_mirror, seat_counter
from bookings.models import Booking, BookingSeat, FreeRun
from events.models import Event

# Runs that are not free, or not of this house. Each is one probe of the index that guards the seats.
MISPLACED_RUNS = """
    SELECT run.event_id, count(*) FROM (
        SELECT event_id, first_seat, last_seat, lag(last_seat) OVER beside AS before, total_slots
        FROM event_free_runs JOIN events ON events.id = event_id WHERE event_id = ANY(%s)
        WINDOW beside AS (PARTITION BY event_id ORDER BY last_seat)
    ) AS run
    WHERE first_seat <= before OR last_seat > total_slots OR EXISTS (
        SELECT FROM booking_seats AS seat WHERE seat.event_id = run.event_id AND seat.status = 'booked'
        AND seat.seat_no BETWEEN run.first_seat AND run.last_seat
    )
    GROUP BY run.event_id
"""


@dataclass(frozen=True)
class Proof:
    """Numbers of one event as one statement read them; seats booked are counted from their rows.

    `misplaced_runs`: free runs that hold a booked seat, another run's, or one that the house has not.
    `counted` and `mirror` are what Redis says, None where it says nothing.
    """

    event: Event  # with the status of its organization, as `Event.objects.lock` reads it
    misplaced_runs: int = 0
    counted: seat_counter.Counter | None = None
    mirror: queue_mirror.Length | None = None

    @property
    def booked(self) -> int:
        return self.event.booked

    @property
    def left(self) -> int:
        """Seats left, as the truth has it."""
        return self.event.total_slots - self.event.booked

    @property
    def counter(self) -> int | None:
        return self.counted and self.counted.slots

    @property
    def due_counter(self) -> int:
        """What the counter is to say while no request is under way."""
        return 0 if self.event.is_cancelled else self.left

    @property
    def in_free_runs(self) -> int | None:
        """Seats in the free runs; None where they have not been made yet."""
        return self.event.in_free_runs

    @property
    def line(self) -> queue_mirror.Length:
        return queue_mirror.Length(self.event.waiting, self.event.first_number, self.event.last_number)

    @property
    def counter_is_off_by(self) -> int:
        """A counter that is not there is not wrong: it begins anew by itself."""
        return 0 if self.counted is None else self.counted.slots - self.due_counter

    @property
    def terms_are_off(self) -> bool:
        """Whether the counter refuses for good what the event, as it is now, would not, or the other way."""
        return self.counted is not None and not self.counted.refuses_as(self.event)

    @property
    def mirror_is_off_by(self) -> tuple | None:
        """By how much the mirror is not the line; None where it is."""
        if self.mirror is None:
            return ("missing",) if self.event.waiting else None
        return None if self.mirror == self.line else self.mirror.less(self.line)

    @property
    def redis_is_behind(self) -> bool:
        return bool(self.counter_is_off_by or self.terms_are_off or self.mirror_is_off_by)

    @property
    def holds(self) -> bool:
        """Whether PostgreSQL's own numbers agree."""
        agree = self.event.available_slots == self.left and self.in_free_runs in (None, self.left)
        return agree and not self.misplaced_runs


def proofs(event_ids: list[UUID]) -> list[Proof]:
    """The proofs of these events, those that exist."""
    with connection.cursor() as cursor:
        cursor.execute(MISPLACED_RUNS, [event_ids])
        misplaced = dict(cursor.fetchall())
    return [Proof(event, misplaced.get(event.pk, 0)) for event in _counted(event_ids)]


def with_redis(found: list[Proof]) -> list[Proof]:
    """The same with what Redis says.

    Raises:
        Away
    """
    ids = [proof.event.pk for proof in found]
    counters, mirrors = seat_counter.read(ids), queue_mirror.read(ids)
    return [
        replace(proof, counted=counters[proof.event.pk], mirror=mirrors[proof.event.pk]) for proof in found
    ]


def _counted(event_ids: list[UUID]):
    booked = BookingSeat.objects.booked().filter(event_id=OuterRef("pk")).order_by().values("event_id")
    waiting = Booking.objects.waiting().filter(event_id=OuterRef("pk")).order_by().values("event_id")
    runs = FreeRun.objects.filter(event_id=OuterRef("pk")).order_by().values("event_id")
    return (
        Event.objects.filter(pk__in=event_ids)
        .defer("description", "layout")
        .annotate(
            org_status=F("org__status"),
            booked=Coalesce(Subquery(booked.annotate(n=Count("seat_no")).values("n")), 0),
            in_free_runs=Subquery(runs.annotate(n=Sum(F("last_seat") - F("first_seat") + 1)).values("n")),
            waiting=Coalesce(Subquery(waiting.annotate(n=Count("pk")).values("n")), 0),
            first_number=Subquery(waiting.annotate(n=Min("waiting_number")).values("n")),
            last_number=Subquery(waiting.annotate(n=Max("waiting_number")).values("n")),
        )
        .order_by("pk")
    )
