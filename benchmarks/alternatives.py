"""Other ways to book on one hot event, beside the one that was chosen, in the same rounds (decision 5).

None of them does all that `book()` does: no line, no limits, no form that is sent twice, no counter.
"""

import threading
from collections import deque
from statistics import median
from uuid import uuid4

import psycopg
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from benchmarks import databases
from benchmarks.callers import Tally, crowd
from benchmarks.rush import DATABASE, PARTY, bare_arguments, prepare, service

ROUNDS, SECONDS = 3, 3.0
GATE = 2  # in flight at once in each of two processes


def run() -> None:
    with databases.scratch(DATABASE):
        databases.use(DATABASE)
        people, hot, _ = prepare()
        ours, bare = {"people": people, "events": hot}, bare_arguments(people, hot)
        kinds = {
            "the yardstick, 8 connections": ("benchmarks.rush:plain", bare, 1, 8),
            "the yardstick, 64 connections": ("benchmarks.rush:plain", bare, 2, 32),
            "one SQL function, a gate of four": ("benchmarks.alternatives:gated", bare, 2, 32),
            "the ORM, a transaction each": ("benchmarks.alternatives:by_the_orm", ours, 2, 32),
            "book(), a transaction each": ("benchmarks.alternatives:apart", ours, 2, 32),
            "book(), together": ("benchmarks.rush:service", ours, 2, 32),
        }
        took: dict[str, list[Tally]] = {kind: [] for kind in kinds}
        for number in range(ROUNDS):
            for kind, (caller, arguments, processes, threads) in kinds.items():
                tally = crowd(caller, arguments, processes=processes, threads=threads, seconds=SECONDS)
                took[kind].append(tally)
                figures = f"{tally.rate:8.0f}/s  p99 {tally.p99:6.0f} ms"
                print(f"  round {number + 1}  {kind:<36}{figures}", flush=True)
    best, crowded, *_ = (median(tally.rate for tally in tallies) for tallies in took.values())
    for kind, tallies in took.items():
        rate, p99 = (median(getattr(tally, name) for tally in tallies) for name in ("rate", "p99"))
        beside = f"{rate / best:.2f}x the best, {rate / crowded:.2f}x the crowd"
        print(f"{kind:<36}{rate:8.0f}/s  p99 {p99:6.0f} ms  {beside}")


class Gate:
    """Lets so many in at once, and the others in the order in which they came."""

    def __init__(self, width: int) -> None:
        self._free, self._lock, self._line = width, threading.Lock(), deque()

    def __enter__(self) -> None:
        with self._lock:
            if self._free:
                self._free -= 1
                return
            turn = threading.Event()
            self._line.append(turn)
        turn.wait()

    def __exit__(self, *_) -> None:
        with self._lock:
            if self._line:
                self._line.popleft().set()
            else:
                self._free += 1


_gate = Gate(GATE)


def gated(*, parameters: dict, people: list, events: list):
    server = psycopg.connect(**parameters, autocommit=True)

    def call(pick) -> None:
        asked = [pick.choice(events), pick.choice(people), PARTY]
        with _gate:
            server.execute("SELECT yardstick_book(%s, %s, %s)", asked)

    return call


def by_the_orm(*, people: list, events: list):
    from bookings.models import Booking, BookingHistory, BookingSeat, FreeRun
    from events.models import Event
    from notifications.models import Notification

    connection.settings_dict["NAME"] = DATABASE

    def call(pick) -> None:
        person, now = pick.choice(people), timezone.now()
        with transaction.atomic(durable=True):
            event = Event.objects.select_for_update(no_key=True, of=("self",)).get(pk=pick.choice(events))
            runs = FreeRun.objects.filter(event=event, length__gte=PARTY)
            run = runs.order_by("first_seat").first()
            booking = Booking.objects.create(
                event=event, user_id=person, seats=PARTY, status="confirmed", idempotency_key=uuid4()
            )
            seats = range(run.first_seat, run.first_seat + PARTY)
            BookingSeat.objects.bulk_create(
                [BookingSeat(booking=booking, event=event, seat_no=seat) for seat in seats]
            )
            BookingHistory.objects.create(
                booking_id=booking.pk,
                action="created",
                event_id=event.pk,
                org_id=event.org_id,
                user_id=person,
                details={"status": "confirmed", "seats": PARTY, "by": "person", "seat_nos": list(seats)},
            )
            Notification.objects.create(
                user_id=person,
                type="booking_confirmed",
                event_id=event.pk,
                booking_id=booking.pk,
                dedupe_key=f"booking_confirmed:{booking.pk}:1",
                payload={"title": event.title, "starts_at": now.isoformat(), "seats": PARTY, "sequence": 0},
            )
            FreeRun.objects.filter(event=event, last_seat=run.last_seat).update(
                first_seat=F("first_seat") + PARTY
            )

    return call


def apart(*, people: list, events: list):
    """The services without turns: every request has a transaction of its own."""
    from importlib import import_module

    from bookings.combining import Ticket

    module = import_module("bookings.services.book")

    class Apart:
        def ask(self, event_id, request, *, arrived=None):
            ticket = Ticket(request)
            module._serve(event_id, lambda: [ticket])
            return ticket.result()

    module.TURNS = Apart()
    return service(people=people, events=events)
