"""The proof that no seat is sold twice and none is lost: an event's numbers, each counted its own way.

Seats booked = all seats - available_slots = all seats - seats in free runs. What Redis says stands beside
it and may be behind.
"""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, F, Max, Min, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce

from bookings import queue_mirror, seat_counter
from bookings.models import Booking, BookingSeat, FreeRun
from events.models import Event


@dataclass(frozen=True)
class Proof:
    """Numbers of one event as one statement read them; seats booked are counted from their rows.

    `counter` and `mirror` are what Redis says, None where it says nothing.
    """

    event: Event  # with the status of its organization, as `Event.objects.lock` reads it
    counter: int | None = None
    mirror: queue_mirror.Length | None = None

    @property
    def booked(self) -> int:
        return self.event.booked

    @property
    def left(self) -> int:
        """Seats left, as the truth has it."""
        return self.event.total_slots - self.event.booked

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
        return 0 if self.counter is None else self.counter - self.due_counter

    @property
    def mirror_is_off(self) -> bool:
        return self.mirror != self.line if self.mirror else self.event.waiting > 0

    @property
    def holds(self) -> bool:
        """Whether PostgreSQL's own numbers agree."""
        return self.event.available_slots == self.left and self.in_free_runs in (None, self.left)


def proofs(event_ids: list[UUID]) -> list[Proof]:
    """The proofs of these events, those that exist."""
    return [Proof(event) for event in _counted(event_ids)]


def with_redis(found: list[Proof]) -> list[Proof]:
    """The same with what Redis says.

    Raises:
        Away
    """
    ids = [proof.event.pk for proof in found]
    counters, mirrors = seat_counter.read(ids), queue_mirror.read(ids)
    return [Proof(proof.event, counters[proof.event.pk], mirrors[proof.event.pk]) for proof in found]


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
