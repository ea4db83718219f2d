"""The yardstick: what plain PostgreSQL does with the same rows, same tables, same keys and triggers.

One SQL function books the lowest run that fits: one round trip, one transaction a booking, no line, no
limits, no words. Called by bare psycopg connections, warmed up.
"""

FUNCTION = """
CREATE OR REPLACE FUNCTION yardstick_book(the_event uuid, the_user uuid, party integer) RETURNS uuid
    LANGUAGE plpgsql
AS $$
DECLARE
    booking uuid := gen_random_uuid();
    run record;
    now timestamptz := clock_timestamp();
BEGIN
    PERFORM 1 FROM events WHERE id = the_event FOR NO KEY UPDATE;

    SELECT first_seat, last_seat INTO run
    FROM generate_series(party, 50) AS wanted (length)
    CROSS JOIN LATERAL (
        SELECT first_seat, last_seat FROM event_free_runs
        WHERE event_id = the_event AND length = wanted.length ORDER BY last_seat LIMIT 1
    ) AS run
    ORDER BY first_seat LIMIT 1;

    INSERT INTO bookings (id, event_id, user_id, seats, status, idempotency_key)
    VALUES (booking, the_event, the_user, party, 'confirmed', gen_random_uuid());

    INSERT INTO booking_seats (booking_id, event_id, seat_no)
    SELECT booking, the_event, seat FROM generate_series(run.first_seat, run.first_seat + party - 1) AS seat;

    INSERT INTO booking_history (booking_id, action, event_id, user_id, details)
    VALUES (booking, 'created', the_event, the_user, jsonb_build_object(
        'status', 'confirmed', 'seats', party, 'by', 'person',
        'seat_nos', jsonb_build_array(run.first_seat)));

    INSERT INTO notifications (user_id, type, event_id, booking_id, dedupe_key, payload)
    VALUES (the_user, 'booking_confirmed', the_event, booking, 'booking_confirmed:' || booking || ':1',
        jsonb_build_object(
            'title', 'A night to remember', 'place', 'Town hall', 'starts_at', now, 'seats', party,
            'time_zone', 'Europe/Berlin', 'sequence', 0, 'seat_labels', jsonb_build_array('1', '2')));

    IF run.first_seat + party > run.last_seat THEN
        DELETE FROM event_free_runs WHERE event_id = the_event AND last_seat = run.last_seat;
    ELSE
        UPDATE event_free_runs SET first_seat = run.first_seat + party
        WHERE event_id = the_event AND last_seat = run.last_seat;
    END IF;
    RETURN booking;
END
$$
"""
