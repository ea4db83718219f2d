"""What is counted from bookings and seats, counted anew: in pages, under the lock of each event.

A booking's triggers change the same rows under the same lock, so that what commits before is counted and
what commits later is added. Each pair says which events need it, so that where all is well nothing is
written; for the migrations, and for a database that another program still writes to (`adopt_schema`).
"""

LOCK = "SELECT FROM events WHERE id = ANY(%(ids)s) ORDER BY id FOR NO KEY UPDATE"

# Before triggers keep it: the original program changes it by differences, under the row's lock as well.
SEATS_LEFT_BY_HAND = (
    """
    SELECT id FROM events
    WHERE id >= %(after)s AND total_slots > 0 AND available_slots IS DISTINCT FROM greatest(0, total_slots - (
        SELECT count(*) FROM booking_seats WHERE event_id = events.id AND status = 'booked'
    ))
    ORDER BY id LIMIT %(most)s
    """,
    LOCK,
    """
    UPDATE events SET available_slots = greatest(0, total_slots - (
        SELECT count(*) FROM booking_seats WHERE event_id = events.id AND status = 'booked'
    ))
    WHERE id = ANY(%(ids)s) AND total_slots > 0
    """,
)

SEATS_LEFT = (
    """
    SELECT id FROM events
    WHERE id >= %(after)s AND (
        available_slots <> get_event_available_slots(id)
        OR is_bookable <> (available_slots > 0 AND status IN ('upcoming', 'ongoing'))
    )
    ORDER BY id LIMIT %(most)s
    """,
    LOCK,
    "SELECT recount_event_available_slots(id) FROM unnest(%(ids)s) AS id",
)

LAST_WAITING_NUMBER = (
    """
    SELECT id FROM events
    WHERE id >= %(after)s AND last_waiting_number < (
        SELECT max(waiting_number) FROM bookings WHERE event_id = events.id AND status = 'waiting'
    )
    ORDER BY id LIMIT %(most)s
    """,
    LOCK,
    """
    UPDATE events SET last_waiting_number = greatest(last_waiting_number, (
        SELECT max(waiting_number) FROM bookings WHERE event_id = events.id AND status = 'waiting'
    ))
    WHERE id = ANY(%(ids)s)
    """,
)

COUNTED = """
    SELECT count(*) FILTER (WHERE status = 'confirmed') AS confirmed,
           count(*) FILTER (WHERE status = 'waiting') AS waiting,
           count(*) FILTER (WHERE status = 'cancelled') AS cancelled,
           coalesce(sum(seats) FILTER (WHERE status = 'waiting'), 0) AS seats
    FROM bookings WHERE event_id = events.id
"""

# While `event_totals_are_derived` does not stand yet: it passes over what is written by hand.
TOTALS = (
    f"""
    SELECT id FROM events LEFT JOIN event_totals AS totals ON totals.event_id = id
    CROSS JOIN LATERAL ({COUNTED}) AS fact
    WHERE id >= %(after)s AND (
        coalesce(totals.confirmed_bookings, 0), coalesce(totals.waiting_bookings, 0),
        coalesce(totals.cancelled_bookings, 0), coalesce(totals.waiting_seats, 0)
    ) <> (fact.confirmed, fact.waiting, fact.cancelled, fact.seats)
    ORDER BY id LIMIT %(most)s
    """,  # noqa: S608
    LOCK,
    f"""
    INSERT INTO event_totals (
        event_id, confirmed_bookings, waiting_bookings, cancelled_bookings, waiting_seats
    )
    SELECT events.id, fact.* FROM events CROSS JOIN LATERAL ({COUNTED}) AS fact
    WHERE events.id = ANY(%(ids)s)
    ON CONFLICT (event_id) DO UPDATE SET
        confirmed_bookings = excluded.confirmed_bookings, waiting_bookings = excluded.waiting_bookings,
        cancelled_bookings = excluded.cancelled_bookings, waiting_seats = excluded.waiting_seats
    """,  # noqa: S608
)

# A number is a place in line: it ends with the waiting, everybody who waits has one, nobody shares one.
# Whoever had a place keeps it before whoever came later.
NUMBERS_OF_NOBODY = (
    """
    SELECT id FROM bookings
    WHERE id >= %(after)s AND status <> 'waiting' AND waiting_number IS NOT NULL ORDER BY id LIMIT %(most)s
    """,
    "UPDATE bookings SET waiting_number = NULL WHERE id = ANY(%(ids)s) AND status <> 'waiting'",
)

LINES = (
    """
    SELECT event_id FROM bookings WHERE status = 'waiting' AND event_id >= %(after)s GROUP BY event_id
    HAVING count(*) > count(DISTINCT waiting_number) OR min(waiting_number) < 1
    ORDER BY event_id LIMIT %(most)s
    """,
    LOCK,
    """
    UPDATE bookings SET waiting_number = line.place
    FROM (
        SELECT id, row_number() OVER (
            PARTITION BY event_id ORDER BY waiting_number NULLS LAST, created_at, id
        ) AS place
        FROM bookings WHERE status = 'waiting' AND event_id = ANY(%(ids)s)
    ) AS line
    WHERE bookings.id = line.id AND bookings.waiting_number IS DISTINCT FROM line.place
    """,
)

WHOSE_HISTORY_IT_IS = (
    """
    SELECT line.id FROM booking_history AS line
    JOIN bookings AS booking ON booking.id = line.booking_id
    WHERE line.id >= %(after)s AND line.event_id IS NULL ORDER BY line.id LIMIT %(most)s
    """,
    """
    UPDATE booking_history AS line
    SET event_id = booking.event_id, org_id = event.org_id, user_id = booking.user_id
    FROM bookings AS booking JOIN events AS event ON event.id = booking.event_id
    WHERE line.id = ANY(%(ids)s) AND booking.id = line.booking_id
    """,
)
