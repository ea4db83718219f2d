"""Who is next: the published rule of an event's queue.

`strict`, first in, first out: the first in line is confirmed if the whole party fits, else nobody is.
`fill`: the first party *that fits* is. A party larger than the whole house holds nobody up.

However long the line, finding who is next is at most fifty probes of an index, one for each size of party.
"""

from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from bookings.models import Booking
from events.models import Event

LARGEST_PARTY = 50
MOST_PROMOTIONS = 500  # in one transaction; the rest is owed to whoever locks the event next


@dataclass(frozen=True)
class Party:
    """A booking that waits."""

    booking_id: UUID
    user_id: UUID
    seats: int
    number: int
    version: int


def promotable(line: list[Party], *, free: int, strict: bool) -> list[Party]:
    """Who of `line` (in order of their numbers) is confirmed now that `free` seats are free.

    One pass is enough for `fill`, too: seats only become fewer, so who did not fit when their turn came
    fits no more later.
    """
    promoted = []
    for party in line:
        if party.seats <= free:
            promoted.append(party)
            free -= party.seats
        elif strict:
            break
    return promoted


def line(event: Event, *, free: int) -> tuple[list[Party], bool]:
    """As much of the line, in order, as decides who is promoted into `free` seats, at most
    `MOST_PROMOTIONS` parties; and whether that limit has cut it short.

    Of each size of party those that could be promoted and one more, which under `strict` is where the
    promotions end; under `fill` larger parties than `free` cannot be, so they are not read.

    Said as a range and ordered by size, although there is one size at a time: with an equation the planner
    may walk through the whole line by number, in the hope of soon meeting a party of that size.
    """
    largest = min(LARGEST_PARTY, event.total_slots if event.is_strict else free)
    if largest < 1:
        return [], False
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT party.id, party.user_id, party.seats, party.waiting_number, party.version
            FROM generate_series(1, %(largest)s::integer) AS size (seats)
            CROSS JOIN LATERAL (
                SELECT id, user_id, seats, waiting_number, version FROM bookings
                WHERE event_id = %(event)s AND status = 'waiting'
                  AND seats BETWEEN size.seats AND size.seats
                ORDER BY seats, waiting_number LIMIT least(%(free)s / size.seats, %(most)s) + 1
            ) AS party
            ORDER BY party.waiting_number LIMIT %(most)s + 1
            """,
            {"event": event.pk, "largest": largest, "free": free, "most": MOST_PROMOTIONS},
        )
        parties = [Party(*row) for row in cursor.fetchall()]
    return parties[:MOST_PROMOTIONS], len(parties) > MOST_PROMOTIONS


def place_in_line(booking: Booking) -> int:
    """How many parties stand up to and including this one: 1 is next."""
    ahead = Booking.objects.waiting().filter(
        event_id=booking.event_id, waiting_number__lt=booking.waiting_number
    )
    return ahead.count() + 1
