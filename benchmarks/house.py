"""Two things that must not slow down with size: choosing seats in a large house full of gaps, and finding who
is next in a long line. Whole transactions, small and large taking turns, each undone before the next.
"""

import time
from collections.abc import Callable
from datetime import timedelta
from statistics import median
from uuid import UUID, uuid4

from django.db import connection
from django.utils import timezone
from uuid_utils.compat import uuid7

from benchmarks import databases
from bookings import services
from bookings.models import Booking
from events.models import Event
from orgs.models import Organization, User
from tests.truth import assert_sound

DATABASE = "happening_bench_house"
ROUNDS, OPERATIONS = 5, 40
SMALL, LARGE, GAPS = 100, 1_000_000, 100_000
SHORT, LONG = 100, 100_000
AT_MOST = 1.2


def run() -> None:
    with databases.scratch(DATABASE):
        databases.use(DATABASE)
        org = Organization.objects.create(name="Acme", slug="acme")
        visitor = User.objects.create_user("visitor@load.test", None, name="Visitor")
        people = _people()
        small = _house(org, people, SMALL, gaps=SMALL)
        large = _house(org, people, LARGE, gaps=GAPS)
        lines = {
            (rule, length): _line(org, people, rule, length)
            for rule in ("strict", "fill")
            for length in (SHORT, LONG)
        }
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
        for seats in (1, 50):
            _compare(
                f"{seats} of {LARGE:,} seats with {GAPS:,} gaps, beside {SMALL} seats",
                lambda event, seats=seats: _book_and_undo(event, visitor, seats),
                small,
                large,
            )
        for rule in ("strict", "fill"):
            _compare(
                f"promotion, {rule}: {LONG:,} waiting, beside {SHORT}",
                lambda event: _promote_and_undo(event, visitor),
                lines[rule, SHORT],
                lines[rule, LONG],
            )
        for event in (small, lines["strict", SHORT], lines["fill", SHORT], lines["fill", LONG]):
            assert_sound(event)


def _compare(what: str, operation: Callable[[UUID], float], small: UUID, large: UUID) -> None:
    for _ in range(15):  # until statements are prepared
        operation(small), operation(large)
    ratios, took = [], ([], [])
    for _ in range(ROUNDS):
        pairs = [(operation(small), operation(large)) for _ in range(OPERATIONS)]
        for each, times in zip(took, zip(*pairs, strict=True), strict=True):
            each.append(median(times) * 1000)
        ratios.append(took[1][-1] / took[0][-1])
    figures = f"{median(took[0]):6.2f} ms -> {median(took[1]):6.2f} ms"
    print(f"{what:<62}{figures}  {median(ratios):.2f}x (at most {AT_MOST})", flush=True)


def _book_and_undo(event_id: UUID, person: User, seats: int) -> float:
    """Seconds that the booking took; giving it back is not counted."""
    began = time.perf_counter()
    booking = services.book(
        event_id=event_id, user_id=person.pk, seats=seats, key=uuid4(), now=timezone.now()
    )
    took = time.perf_counter() - began
    services.cancel(booking_id=booking.pk, actor_id=person.pk, now=timezone.now())
    return took


def _promote_and_undo(event_id: UUID, person: User) -> float:
    """Seconds that it took to give two seats back and confirm whose turn it was; afterwards two more come to
    stand at the end of the line."""
    confirmed = Booking.objects.confirmed().filter(event_id=event_id).values_list("pk", flat=True)
    leaving = confirmed.order_by("-created_at")[0]
    began = time.perf_counter()
    services.cancel(booking_id=leaving, actor_id=None, now=timezone.now())
    took = time.perf_counter() - began
    services.book(
        event_id=event_id, user_id=person.pk, seats=2, or_wait=True, key=uuid4(), now=timezone.now()
    )
    return took


def _house(org: Organization, people: list[UUID], seats: int, *, gaps: int) -> UUID:
    """A house with free seats at even distances: no two of them side by side, or else all of them free."""
    event = _event(org, seats)
    every = seats // gaps
    taken = [seat for seat in range(1, seats + 1) if seat % every] if every > 1 else []
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        _hold(cursor, event.pk, people, taken, parties_of=50)
        runs = [(seat, seat) for seat in range(every, seats + 1, every)] if every > 1 else [(1, seats)]
        _copy(
            cursor,
            "event_free_runs (event_id, first_seat, last_seat)",
            ((event.pk, first, last) for first, last in runs),
        )
        cursor.execute("UPDATE events SET available_slots = %s WHERE id = %s", [gaps, event.pk])
        cursor.execute("RESET session_replication_role")
    return event.pk


def _line(org: Organization, people: list[UUID], rule: str, length: int) -> UUID:
    """A full house of a hundred and parties that wait, of two; under `fill` of four, and the last of two."""
    event = _event(org, SMALL, queue_rule=rule)
    parties = [4 if rule == "fill" and number < length else 2 for number in range(1, length + 1)]
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        _hold(cursor, event.pk, people, range(1, SMALL + 1), parties_of=2)
        _copy(
            cursor,
            "bookings (id, event_id, user_id, seats, status, waiting_number)",
            (
                (uuid7(), event.pk, people[number - 1], seats, "waiting", number)
                for number, seats in enumerate(parties, start=1)
            ),
        )
        cursor.execute(
            "UPDATE event_totals SET waiting_bookings = %s, waiting_seats = %s WHERE event_id = %s",
            [length, sum(parties), event.pk],
        )
        cursor.execute(
            "UPDATE events SET available_slots = 0, is_bookable = false, last_waiting_number = %s "
            "WHERE id = %s",
            [length, event.pk],
        )
        cursor.execute(
            "INSERT INTO booking_history (id, booking_id, action, event_id, user_id, details) "
            "SELECT gen_random_uuid(), id, 'created', event_id, user_id, '{}' FROM bookings "
            "WHERE event_id = %s AND status = 'waiting'",
            [event.pk],
        )
        cursor.execute("RESET session_replication_role")
    return event.pk


def _hold(cursor, event_id: UUID, people: list[UUID], taken, *, parties_of: int) -> None:
    """Confirmed bookings of `parties_of` seats each for the seats in `taken`."""
    parties = [
        (uuid7(), person, taken[at : at + parties_of])
        for person, at in zip(people, range(0, len(taken), parties_of), strict=False)
    ]
    _copy(
        cursor,
        "bookings (id, event_id, user_id, seats, status)",
        ((booking, event_id, person, len(seats), "confirmed") for booking, person, seats in parties),
    )
    _copy(
        cursor,
        "booking_seats (id, booking_id, event_id, seat_no)",
        ((uuid7(), booking, event_id, seat) for booking, _, seats in parties for seat in seats),
    )
    _copy(
        cursor,
        "booking_history (id, booking_id, action, event_id, user_id, details)",
        ((uuid7(), booking, "created", event_id, person, "{}") for booking, person, _ in parties),
    )
    cursor.execute(
        "INSERT INTO event_totals "
        "(event_id, confirmed_bookings, waiting_bookings, cancelled_bookings, waiting_seats) "
        "VALUES (%s, %s, 0, 0, 0)",
        [event_id, len(parties)],
    )


def _people() -> list[UUID]:
    """As many as the longest line holds; each holds one booking of an event."""
    people = [uuid7() for _ in range(LONG)]
    with connection.cursor() as cursor:
        rows = ((person, f"p{n}@load.test", f"Person {n}") for n, person in enumerate(people))
        _copy(cursor, "users (id, email, name)", rows)
    return people


def _event(org: Organization, seats: int, **facts) -> Event:
    now = timezone.now()
    return Event.objects.create(
        org=org,
        title="A night to remember",
        event_date=now + timedelta(days=30),
        total_slots=seats,
        published_at=now,
        max_seats_per_person=30_000,
        **facts,
    )


def _copy(cursor, target: str, rows) -> None:
    with cursor.copy(f"COPY {target} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
