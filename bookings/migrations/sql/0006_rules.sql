-- From here on triggers count, and what a program writes into the counter itself is passed over: both at once,
-- or a seat would be counted twice or not at all. So the three tables are locked for the moment that it takes
-- to make the triggers. What stood before is counted afterwards, event by event (0006_improved_counts).

-- Seats left ------------------------------------------------------------------------------------------

-- One update per event and statement, however many seats the statement touches, COPY included. Events are
-- locked in order of their ids, so that two statements over the same events cannot wait for each other.
--
-- Tables are looked up by keys held in arrays, with no sequential scan to choose: a plan made for the first
-- statement of a session serves the next one too, whether that touches one row or a million.
CREATE OR REPLACE FUNCTION update_event_available_slots() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = public, pg_temp
    SET enable_seqscan = off
AS $$
DECLARE
    touched uuid[];
    deltas integer[];
    highest integer[];
    beyond integer;
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        UPDATE events SET available_slots = total_slots,
                          is_bookable = status IN ('upcoming', 'ongoing'),
                          version = version + 1
        WHERE available_slots <> total_slots;
        RETURN NULL;
    ELSIF TG_OP = 'INSERT' THEN
        SELECT array_agg(event_id), array_agg(taken), array_agg(top) INTO touched, deltas, highest FROM (
            SELECT event_id, count(*) AS taken, max(seat_no) AS top
            FROM new_seats WHERE status = 'booked' GROUP BY event_id
        ) AS change;
    ELSIF TG_OP = 'DELETE' THEN
        SELECT array_agg(event_id), array_agg(taken) INTO touched, deltas FROM (
            SELECT event_id, -count(*) AS taken
            FROM old_seats WHERE status = 'booked' GROUP BY event_id
        ) AS change;
    ELSE
        SELECT array_agg(event_id), array_agg(taken), array_agg(top) INTO touched, deltas, highest FROM (
            SELECT event_id, sum(taken) AS taken, max(seat_no) AS top FROM (
                SELECT event_id, seat_no, 1 AS taken FROM new_seats WHERE status = 'booked'
                UNION ALL
                SELECT event_id, NULL, -1 FROM old_seats WHERE status = 'booked'
            ) AS seat GROUP BY event_id
        ) AS change;
    END IF;
    IF touched IS NULL THEN
        RETURN NULL;
    END IF;

    PERFORM 1 FROM events WHERE id = ANY (touched) ORDER BY id FOR NO KEY UPDATE;

    SELECT top INTO beyond
    FROM unnest(touched, highest) AS change (event_id, top) JOIN events ON events.id = change.event_id
    WHERE top > events.total_slots
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'There is no seat %.', beyond
            USING ERRCODE = 'check_violation', CONSTRAINT = 'seat_numbers_end_at_the_capacity';
    END IF;

    UPDATE events SET available_slots = available_slots - change.taken,
                      is_bookable = available_slots > change.taken AND status IN ('upcoming', 'ongoing'),
                      version = version + 1
    FROM unnest(touched, deltas) AS change (event_id, taken)
    WHERE events.id = change.event_id AND change.taken <> 0;
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER events_counters_stay BEFORE UPDATE ON events
    FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION keep_event_counters();
CREATE OR REPLACE TRIGGER booking_seats_inserted AFTER INSERT ON booking_seats
    REFERENCING NEW TABLE AS new_seats
    FOR EACH STATEMENT EXECUTE FUNCTION update_event_available_slots();
CREATE OR REPLACE TRIGGER booking_seats_updated AFTER UPDATE ON booking_seats
    REFERENCING OLD TABLE AS old_seats NEW TABLE AS new_seats
    FOR EACH STATEMENT EXECUTE FUNCTION update_event_available_slots();
CREATE OR REPLACE TRIGGER booking_seats_deleted AFTER DELETE ON booking_seats
    REFERENCING OLD TABLE AS old_seats
    FOR EACH STATEMENT EXECUTE FUNCTION update_event_available_slots();
CREATE OR REPLACE TRIGGER booking_seats_truncated AFTER TRUNCATE ON booking_seats
    FOR EACH STATEMENT EXECUTE FUNCTION update_event_available_slots();

-- Counted from the seats themselves: what available_slots must equal.
CREATE OR REPLACE FUNCTION get_event_available_slots(event_uuid uuid) RETURNS integer
    LANGUAGE sql STABLE
    SET search_path = public, pg_temp
AS $$
    SELECT total_slots - (
        SELECT count(*)::integer FROM booking_seats WHERE event_id = event_uuid AND status = 'booked'
    )
    FROM events WHERE id = event_uuid
$$;

-- Totals, and the cap per person ------------------------------------------------------------------------

-- Under the event's lock, like the seats: so two forms of one person cannot both pass below the cap. Only
-- who comes to hold more is measured, so that promoting or moving somebody never fails by it.
CREATE OR REPLACE FUNCTION keep_event_totals() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = public, pg_temp
    SET enable_seqscan = off
AS $$
DECLARE
    touched uuid[];
    confirmed integer[];
    waiting integer[];
    cancelled integer[];
    seats_waiting integer[];
    events_of_growth uuid[];
    people_of_growth uuid[];
    counted integer;
    excess record;
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        DELETE FROM event_totals;
        RETURN NULL;
    ELSIF TG_OP = 'INSERT' THEN
        SELECT array_agg(event_id), array_agg(c), array_agg(w), array_agg(x), array_agg(s)
        INTO touched, confirmed, waiting, cancelled, seats_waiting FROM (
            SELECT event_id,
                   count(*) FILTER (WHERE status = 'confirmed') AS c,
                   count(*) FILTER (WHERE status = 'waiting') AS w,
                   count(*) FILTER (WHERE status = 'cancelled') AS x,
                   coalesce(sum(seats) FILTER (WHERE status = 'waiting'), 0) AS s
            FROM new_bookings GROUP BY event_id
        ) AS change;
        SELECT array_agg(event_id), array_agg(user_id) INTO events_of_growth, people_of_growth FROM (
            SELECT DISTINCT event_id, user_id FROM new_bookings WHERE status <> 'cancelled'
        ) AS growth;
    ELSIF TG_OP = 'DELETE' THEN
        SELECT array_agg(event_id), array_agg(-c), array_agg(-w), array_agg(-x), array_agg(-s)
        INTO touched, confirmed, waiting, cancelled, seats_waiting FROM (
            SELECT event_id,
                   count(*) FILTER (WHERE status = 'confirmed') AS c,
                   count(*) FILTER (WHERE status = 'waiting') AS w,
                   count(*) FILTER (WHERE status = 'cancelled') AS x,
                   coalesce(sum(seats) FILTER (WHERE status = 'waiting'), 0) AS s
            FROM old_bookings GROUP BY event_id
        ) AS change;
    ELSE
        SELECT array_agg(event_id), array_agg(c), array_agg(w), array_agg(x), array_agg(s)
        INTO touched, confirmed, waiting, cancelled, seats_waiting FROM (
            SELECT event_id,
                   coalesce(sum(sign) FILTER (WHERE status = 'confirmed'), 0) AS c,
                   coalesce(sum(sign) FILTER (WHERE status = 'waiting'), 0) AS w,
                   coalesce(sum(sign) FILTER (WHERE status = 'cancelled'), 0) AS x,
                   coalesce(sum(sign * seats) FILTER (WHERE status = 'waiting'), 0) AS s
            FROM (
                SELECT event_id, status, seats, 1 AS sign FROM new_bookings
                UNION ALL
                SELECT event_id, status, seats, -1 FROM old_bookings
            ) AS booking GROUP BY event_id
        ) AS change WHERE (c, w, x, s) <> (0, 0, 0, 0);
        SELECT array_agg(event_id), array_agg(user_id) INTO events_of_growth, people_of_growth FROM (
            SELECT event_id, user_id FROM (
                SELECT event_id, user_id, seats FROM new_bookings WHERE status <> 'cancelled'
                UNION ALL
                SELECT event_id, user_id, -seats FROM old_bookings WHERE status <> 'cancelled'
            ) AS booking GROUP BY event_id, user_id HAVING sum(seats) > 0
        ) AS growth;
    END IF;
    IF touched IS NULL AND events_of_growth IS NULL THEN
        RETURN NULL;
    END IF;

    PERFORM 1 FROM events WHERE id = ANY (touched || events_of_growth) ORDER BY id FOR NO KEY UPDATE;

    SELECT event.id AS event_id, event.max_seats_per_person AS cap, held.seats INTO excess
    FROM unnest(events_of_growth, people_of_growth) AS growth (event_id, user_id)
    JOIN events AS event ON event.id = growth.event_id
    CROSS JOIN LATERAL (
        SELECT sum(seats) AS seats FROM bookings
        WHERE event_id = growth.event_id AND user_id = growth.user_id
          AND status IN ('confirmed', 'waiting')
    ) AS held
    WHERE held.seats > event.max_seats_per_person
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'A person may hold % seats of event %, not %.', excess.cap, excess.event_id, excess.seats
            USING ERRCODE = 'check_violation', CONSTRAINT = 'nobody_holds_more_seats_than_allowed';
    END IF;

    UPDATE event_totals AS totals SET
        confirmed_bookings = confirmed_bookings + c,
        waiting_bookings = waiting_bookings + w,
        cancelled_bookings = cancelled_bookings + x,
        waiting_seats = waiting_seats + s
    FROM unnest(touched, confirmed, waiting, cancelled, seats_waiting) AS change (event_id, c, w, x, s)
    WHERE totals.event_id = change.event_id;
    GET DIAGNOSTICS counted = ROW_COUNT;
    -- An event's first booking. (Of a deleted one the event may be gone already: nothing to count for.)
    IF counted < cardinality(touched) AND TG_OP <> 'DELETE' THEN
        INSERT INTO event_totals (
            event_id, confirmed_bookings, waiting_bookings, cancelled_bookings, waiting_seats
        )
        SELECT * FROM unnest(touched, confirmed, waiting, cancelled, seats_waiting)
        ON CONFLICT (event_id) DO NOTHING;
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER bookings_inserted AFTER INSERT ON bookings
    REFERENCING NEW TABLE AS new_bookings
    FOR EACH STATEMENT EXECUTE FUNCTION keep_event_totals();
CREATE OR REPLACE TRIGGER bookings_updated AFTER UPDATE ON bookings
    REFERENCING OLD TABLE AS old_bookings NEW TABLE AS new_bookings
    FOR EACH STATEMENT EXECUTE FUNCTION keep_event_totals();
CREATE OR REPLACE TRIGGER bookings_deleted AFTER DELETE ON bookings
    REFERENCING OLD TABLE AS old_bookings
    FOR EACH STATEMENT EXECUTE FUNCTION keep_event_totals();
CREATE OR REPLACE TRIGGER bookings_truncated AFTER TRUNCATE ON bookings
    FOR EACH STATEMENT EXECUTE FUNCTION keep_event_totals();

-- For totals written by hand, or copied back from a dump beside the bookings they count: they are passed over.
CREATE OR REPLACE FUNCTION ignore_direct_write() RETURNS trigger
    LANGUAGE plpgsql
AS $$
BEGIN
    RETURN NULL;
END
$$;

ALTER TABLE event_totals SET (fillfactor = 50);
ALTER TABLE event_free_runs SET (
    fillfactor = 70,
    autovacuum_vacuum_scale_factor = 0.01,
    autovacuum_vacuum_threshold = 200
);

-- History -----------------------------------------------------------------------------------------------

-- Open to whoever may call archive_booking_history, and only while it runs.
CREATE OR REPLACE FUNCTION keep_booking_history() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = public, pg_temp
AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('happening.archiving', true) = 'yes'
        AND has_function_privilege('archive_booking_history(timestamptz)', 'EXECUTE') THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'The history of bookings is only ever added to.'
        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'booking_history_is_append_only';
END
$$;

-- The one way out of the table: removes and returns what is older, for the caller to keep elsewhere.
CREATE OR REPLACE FUNCTION archive_booking_history(before timestamptz) RETURNS SETOF booking_history
    LANGUAGE plpgsql
    SET search_path = public, pg_temp
AS $$
BEGIN
    PERFORM set_config('happening.archiving', 'yes', true);
    RETURN QUERY DELETE FROM booking_history WHERE created_at < before RETURNING *;
    PERFORM set_config('happening.archiving', 'no', true);
END
$$;
REVOKE EXECUTE ON FUNCTION archive_booking_history(timestamptz) FROM PUBLIC;

-- Who deletes a booking, with its event or by hand, leaves a last line about it. An event that takes its
-- bookings along is gone by then: whose it was stands in the booking's earlier lines.
CREATE OR REPLACE FUNCTION remember_deleted_booking() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = public, pg_temp
AS $$
BEGIN
    INSERT INTO booking_history (booking_id, action, details, event_id, org_id, user_id)
    VALUES (
        OLD.id, 'cancelled',
        jsonb_build_object('reason', 'deleted', 'was', OLD.status, 'seats', OLD.seats),
        OLD.event_id,
        coalesce(
            (SELECT org_id FROM events WHERE id = OLD.event_id),
            (SELECT org_id FROM booking_history
             WHERE booking_id = OLD.id AND org_id IS NOT NULL ORDER BY created_at DESC LIMIT 1)
        ),
        OLD.user_id
    );
    RETURN OLD;
END
$$;

CREATE OR REPLACE TRIGGER bookings_leave_a_last_line BEFORE DELETE ON bookings
    FOR EACH ROW EXECUTE FUNCTION remember_deleted_booking();

CREATE OR REPLACE TRIGGER bookings_updated_at BEFORE UPDATE ON bookings
    FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();
CREATE OR REPLACE TRIGGER booking_seats_updated_at BEFORE UPDATE ON booking_seats
    FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();
CREATE OR REPLACE TRIGGER event_jobs_updated_at BEFORE UPDATE ON event_jobs
    FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();

-- Views ---------------------------------------------------------------------------------------------------

CREATE OR REPLACE VIEW event_booking_summary AS
SELECT event.id AS event_id,
       event.org_id,
       event.title,
       event.event_date,
       event.status,
       event.total_slots,
       event.available_slots,
       event.total_slots - event.available_slots AS booked_seats,
       coalesce(totals.confirmed_bookings, 0) AS confirmed_bookings,
       coalesce(totals.waiting_bookings, 0) AS waiting_bookings,
       coalesce(totals.cancelled_bookings, 0) AS cancelled_bookings,
       coalesce(totals.waiting_seats, 0) AS waiting_seats
FROM events AS event LEFT JOIN event_totals AS totals ON totals.event_id = event.id;

-- A person has few bookings, and no row of totals that bookings of two events could wait for each other at.
CREATE OR REPLACE VIEW user_booking_summary AS
SELECT user_id,
       (count(*) FILTER (WHERE status = 'confirmed'))::integer AS confirmed_bookings,
       (count(*) FILTER (WHERE status = 'waiting'))::integer AS waiting_bookings,
       (count(*) FILTER (WHERE status = 'cancelled'))::integer AS cancelled_bookings,
       coalesce(sum(seats) FILTER (WHERE status = 'confirmed'), 0)::integer AS booked_seats,
       coalesce(sum(seats) FILTER (WHERE status = 'waiting'), 0)::integer AS waiting_seats
FROM bookings GROUP BY user_id;
