"""A platform of any size, by COPY: organizations, people, events over three years, a booking for each event.

The triggers rest meanwhile, so what they would have derived is written along.
"""

import random
from datetime import timedelta
from uuid import UUID

from django.db import connection
from django.utils import timezone
from uuid_utils.compat import uuid7

ORGANIZATIONS, PEOPLE, SEATS = 20, 5_000, 40
OWN_BOOKINGS = 30
CATEGORIES = ["webinar", "concert", "hackathon", "conference", "workshop", "meetup", "other"]
WORDS = [
    "open",
    "night",
    "garden",
    "river",
    "machine",
    "story",
    "winter",
    "choir",
    "code",
    "paper",
    "light",
    "market",
    "summer",
    "data",
    "wood",
]
ZONES = ["Europe/Berlin", "America/New_York", "Asia/Tokyo", "UTC"]


def fill(size: int) -> tuple[UUID, UUID]:
    """Make `size` events and `size` bookings; returns an event in the middle and a person with bookings."""
    pick = random.Random(size)
    now = timezone.now()
    orgs = [uuid7() for _ in range(ORGANIZATIONS)]
    people = [uuid7() for _ in range(PEOPLE)]
    me = uuid7()
    events = [uuid7() for _ in range(size)]
    start, step = now + timedelta(hours=1), timedelta(days=3 * 365) / size

    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        _copy(
            cursor,
            "organizations (id, name, slug)",
            ((org, f"Org {n}", f"org-{n}") for n, org in enumerate(orgs)),
        )
        _copy(
            cursor,
            "users (id, email, name)",
            ((person, f"p{n}@load.test", f"Person {n}") for n, person in enumerate([me, *people])),
        )
        _copy(
            cursor,
            "events (id, org_id, title, description, category, event_date, ends_at, time_zone, total_slots,"
            " available_slots, is_bookable, published_at, place)",
            (
                (
                    event,
                    pick.choice(orgs),
                    f"{pick.choice(WORDS).title()} {pick.choice(WORDS)} {n}",
                    " ".join(pick.choices(WORDS, k=60)),
                    pick.choice(CATEGORIES),
                    start + step * n,
                    start + step * n + timedelta(hours=2),
                    pick.choice(ZONES),
                    SEATS,
                    SEATS - 2,
                    True,
                    now,
                    f"{pick.choice(WORDS).title()} hall",
                )
                for n, event in enumerate(events)
            ),
        )
        bookings = [
            (uuid7(), event, me if n < OWN_BOOKINGS else pick.choice(people))
            for n, event in enumerate(events)
        ]
        _copy(
            cursor,
            "bookings (id, event_id, user_id, seats, status)",
            ((booking, event, person, 2, "confirmed") for booking, event, person in bookings),
        )
        _copy(
            cursor,
            "booking_seats (id, booking_id, event_id, seat_no)",
            ((uuid7(), booking, event, seat) for booking, event, _ in bookings for seat in (1, 2)),
        )
        _copy(
            cursor,
            "booking_history (id, booking_id, action, event_id, user_id, details)",
            (
                (
                    uuid7(),
                    booking,
                    "created",
                    event,
                    person,
                    '{"status": "confirmed", "seats": 2, "seat_nos": [1, 2]}',
                )
                for booking, event, person in bookings
            ),
        )
        cursor.execute(
            "INSERT INTO event_totals (event_id, confirmed_bookings, waiting_bookings, cancelled_bookings,"
            " waiting_seats) SELECT id, 1, 0, 0, 0 FROM events"
        )
        cursor.execute(
            "INSERT INTO event_free_runs (event_id, first_seat, last_seat) SELECT id, 3, 40 FROM events"
        )
        cursor.execute("RESET session_replication_role")
        cursor.execute("VACUUM ANALYZE")
    return events[size // 2], me


def _copy(cursor, target: str, rows) -> None:
    with cursor.copy(f"COPY {target} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
