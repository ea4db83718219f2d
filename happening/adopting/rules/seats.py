"""Bookings, their seats and their line; last the counter, which follows from the seats."""

from bookings import recounting
from happening.adopting.rules.events import ROOM, TAKEN
from happening.adopting.rules.rule import Rule, assign

# Booked seats of bookings; grouped, as the original has no index by booking.
BOOKED = """
    SELECT booking_id, count(*) AS booked FROM booking_seats
    WHERE status = 'booked' {which} GROUP BY booking_id
"""
ALL_BOOKED, PAGE_BOOKED = BOOKED.format(which=""), BOOKED.format(which="AND booking_id = ANY(%(ids)s)")
CONFIRMED = f"""
    line.id IN (
        SELECT booking.id FROM bookings AS booking
        LEFT JOIN ({ALL_BOOKED}) AS seat ON seat.booking_id = booking.id
        WHERE booking.status = 'confirmed' AND booking.seats BETWEEN 1 AND 50
        AND booking.seats {{compared}} coalesce(seat.booked, 0)
    )
"""  # noqa: S608
ITS_EVENT = "SELECT event_id FROM bookings WHERE id = ANY(%(ids)s)"
ITS_EVENTS = """
    SELECT event_id FROM booking_seats WHERE id = ANY(%(ids)s)
    UNION SELECT event_id FROM bookings
    WHERE id IN (SELECT booking_id FROM booking_seats WHERE id = ANY(%(ids)s))
"""
FREE = """
    SELECT event.id AS event_id, seat_no, row_number() OVER (PARTITION BY event.id ORDER BY seat_no) AS place
    FROM events AS event CROSS JOIN LATERAL generate_series(1, event.total_slots) AS seat_no
    WHERE event.id IN (SELECT event_id FROM needy) AND NOT EXISTS (
        SELECT FROM booking_seats AS taken
        WHERE taken.event_id = event.id AND taken.seat_no = seat_no.seat_no AND taken.status = 'booked'
    )
"""
RESEAT = f"""
WITH needy AS (
    SELECT seat.id, booking.event_id,
           row_number() OVER (PARTITION BY booking.event_id ORDER BY seat.created_at, seat.id) AS place
    FROM booking_seats AS seat JOIN bookings AS booking ON booking.id = seat.booking_id
    WHERE seat.id = ANY(%(ids)s) AND seat.status = 'booked'
), free AS ({FREE})
UPDATE booking_seats SET seat_no = free.seat_no, event_id = free.event_id
FROM needy JOIN free USING (event_id, place) WHERE booking_seats.id = needy.id
"""  # noqa: S608
ALLOT = f"""
WITH needy AS (
    SELECT booking.id, booking.event_id,
           row_number() OVER (PARTITION BY booking.event_id ORDER BY booking.created_at, booking.id) AS place
    FROM bookings AS booking LEFT JOIN ({PAGE_BOOKED}) AS seat ON seat.booking_id = booking.id
    CROSS JOIN LATERAL generate_series(1, booking.seats - coalesce(seat.booked, 0)) AS missing
    WHERE booking.id = ANY(%(ids)s) AND booking.status = 'confirmed'
), free AS ({FREE})
INSERT INTO booking_seats (booking_id, event_id, seat_no)
SELECT needy.id, event_id, free.seat_no FROM needy JOIN free USING (event_id, place)
RETURNING 'booking_seats', id, NULL::jsonb, to_jsonb(booking_seats)
"""  # noqa: S608
RENUMBER = """
UPDATE bookings SET waiting_number = line.place
FROM (
    SELECT id, waiting_number AS number, row_number() OVER (
        PARTITION BY event_id ORDER BY waiting_number NULLS LAST, created_at, id
    ) AS place
    FROM bookings WHERE status = 'waiting'
    AND event_id IN (SELECT event_id FROM bookings WHERE id = ANY(%(ids)s))
) AS line
WHERE bookings.id = line.id AND bookings.waiting_number IS DISTINCT FROM line.place
RETURNING 'bookings', bookings.id, jsonb_build_object('waiting_number', line.number),
          jsonb_build_object('waiting_number', bookings.waiting_number)
"""
NO_SEAT = f"No seat of the house is free. {ROOM}"


RULES = (
    Rule(
        "a_booking_has_1_to_50_seats",
        "bookings",
        "it has no seats, or more than 50",
        "line.seats NOT BETWEEN 1 AND 50",
        f"""
        UPDATE bookings SET seats = CASE
            WHEN fact.booked BETWEEN 1 AND 50 THEN fact.booked
            WHEN status = 'cancelled' THEN greatest(1, least(50, seats))
            ELSE seats END
        FROM (
            SELECT id, booked FROM bookings LEFT JOIN ({PAGE_BOOKED}) AS seat ON booking_id = id
            WHERE id = ANY(%(ids)s)
        ) AS fact
        WHERE bookings.id = fact.id
        """,  # noqa: S608
        "it has as many as are booked for it; a cancelled one the nearest number",
        by_hand="Split it into bookings of at most 50 seats, or cancel it.",
        locks=ITS_EVENT,
    ),
    Rule(
        "only_waiting_bookings_have_a_number",
        "bookings",
        "it has a waiting number and waits no more",
        "line.waiting_number IS NOT NULL AND line.status <> 'waiting'",
        assign("bookings", "waiting_number = NULL"),
        "the number is emptied",
        locks=ITS_EVENT,
    ),
    Rule(
        "nobody_shares_a_waiting_number",
        "bookings",
        "it waits in a line where a number is missing, below 1 or given twice",
        """
        line.status = 'waiting' AND line.event_id IN (
            SELECT event_id FROM bookings WHERE status = 'waiting' GROUP BY event_id
            HAVING count(*) > count(DISTINCT waiting_number) OR min(waiting_number) < 1
        )
        """,
        RENUMBER,
        "the line is numbered anew in its order",
        locks=ITS_EVENT,
        is_sure=True,
    ),
    Rule(
        "a_seat_belongs_to_a_booking_of_its_event",
        "booking_seats",
        "it names another event than its booking",
        "EXISTS (SELECT FROM bookings WHERE id = line.booking_id AND event_id <> line.event_id)",
        (
            """
            UPDATE booking_seats AS seat SET event_id = booking.event_id FROM bookings AS booking
            WHERE seat.id = ANY(%(ids)s) AND booking.id = seat.booking_id AND seat.status <> 'booked'
            """,
            RESEAT,
        ),
        "it moves to its booking's event, to the lowest number that is free there",
        by_hand=NO_SEAT,
        locks=ITS_EVENTS,
    ),
    Rule(
        "only_confirmed_bookings_hold_seats",
        "booking_seats",
        "it is booked for a booking that is not confirmed",
        "line.status = 'booked'"
        " AND EXISTS (SELECT FROM bookings WHERE id = line.booking_id AND status <> 'confirmed')",
        assign("booking_seats", "status = 'cancelled'"),
        "it is given back",
        locks=ITS_EVENTS,
    ),
    Rule(
        "idx_booking_seats_unique",
        "booking_seats",
        "it is booked twice, and the other was first",
        "line.status = 'booked' AND EXISTS (SELECT FROM booking_seats AS first WHERE first.status = 'booked'"
        " AND first.event_id = line.event_id AND first.seat_no = line.seat_no"
        " AND (first.created_at, first.id) < (line.created_at, line.id))",
        RESEAT,
        "who came later moves to the lowest number that is free; tell them",
        by_hand=NO_SEAT,
        locks=ITS_EVENTS,
    ),
    Rule(
        "seat_numbers_begin_at_1",
        "booking_seats",
        "there is no such seat in the house",
        "line.seat_no < 1 OR line.status = 'booked'"
        " AND EXISTS (SELECT FROM events WHERE id = line.event_id AND total_slots < line.seat_no)",
        ("UPDATE booking_seats SET seat_no = 1 WHERE id = ANY(%(ids)s) AND status <> 'booked'", RESEAT),
        "it moves to the lowest number that is free; tell them",
        by_hand=NO_SEAT,
        locks=ITS_EVENTS,
    ),
    Rule(
        "confirmed_bookings_hold_no_more_than_their_seats",
        "bookings",
        "more seats are booked for it than it says",
        CONFIRMED.format(compared="<"),
        f"""
        UPDATE bookings SET seats = booked FROM ({PAGE_BOOKED}) AS seat
        WHERE id = booking_id AND booked BETWEEN seats + 1 AND 50 AND status = 'confirmed'
        """,  # noqa: S608
        "it says as many as are booked for it",
        by_hand="Split it into bookings of at most 50 seats.",
        locks=ITS_EVENT,
        is_sure=True,
    ),
    Rule(
        "confirmed_bookings_hold_their_seats",
        "bookings",
        "fewer seats are booked for it than it says",
        CONFIRMED.format(compared=">"),
        ALLOT,
        "the lowest free numbers are booked for it",
        by_hand=NO_SEAT,
        locks=ITS_EVENT,
        is_sure=True,
    ),
    Rule(
        "available_slots_lie_between_none_and_all",
        "events",
        "available_slots is not what the seats say",
        f"line.total_slots >= 1 AND line.available_slots <> greatest(0, line.total_slots - {TAKEN})",
        recounting.SEATS_LEFT_BY_HAND[-1],
        "it is counted from the seats",
        locks="SELECT unnest(%(ids)s)",
    ),
)
