-- Seats left ------------------------------------------------------------------------------------------

-- One update per event and statement, however many seats the statement touches, COPY included. Events are
-- locked in order of their ids, so that two statements over the same events cannot wait for each other.
CREATE OR REPLACE FUNCTION update_event_available_slots() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = public, pg_temp
AS $$
DECLARE
    touched uuid[];
    deltas integer[];
    beyond integer;
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        UPDATE events SET available_slots = total_slots,
                          is_bookable = status IN ('upcoming', 'ongoing'),
                          version = version + 1
        WHERE available_slots <> total_slots;
        RETURN NULL;
    ELSIF TG_OP = 'INSERT' THEN
        SELECT array_agg(event_id), array_agg(taken) INTO touched, deltas FROM (
            SELECT event_id, count(*) FILTER (WHERE status = 'booked') AS taken
            FROM new_seats GROUP BY event_id ORDER BY event_id
        ) AS change;
    ELSIF TG_OP = 'DELETE' THEN
        SELECT array_agg(event_id), array_agg(taken) INTO touched, deltas FROM (
            SELECT event_id, -count(*) FILTER (WHERE status = 'booked') AS taken
            FROM old_seats GROUP BY event_id ORDER BY event_id
        ) AS change;
    ELSE
        SELECT array_agg(event_id), array_agg(taken) INTO touched, deltas FROM (
            SELECT event_id, sum(taken) AS taken FROM (
                SELECT event_id, 1 AS taken FROM new_seats WHERE status = 'booked'
                UNION ALL
                SELECT event_id, -1 FROM old_seats WHERE status = 'booked'
            ) AS seat GROUP BY event_id ORDER BY event_id
        ) AS change;
    END IF;
    IF touched IS NULL THEN
        RETURN NULL;
    END IF;

    PERFORM 1 FROM events WHERE id = ANY (touched) ORDER BY id FOR NO KEY UPDATE;

    IF TG_OP <> 'DELETE' THEN
        SELECT seat.seat_no INTO beyond
        FROM new_seats AS seat JOIN events AS event ON event.id = seat.event_id
        WHERE seat.status = 'booked' AND seat.seat_no > event.total_slots
        LIMIT 1;
        IF beyond IS NOT NULL THEN
            RAISE EXCEPTION 'There is no seat %.', beyond
                USING ERRCODE = 'check_violation', CONSTRAINT = 'seat_numbers_end_at_the_capacity';
        END IF;
    END IF;

    UPDATE events SET available_slots = available_slots - change.taken,
                      is_bookable = available_slots > change.taken AND status IN ('upcoming', 'ongoing'),
                      version = version + 1
    FROM unnest(touched, deltas) AS change (event_id, taken)
    WHERE events.id = change.event_id AND change.taken <> 0;
    RETURN NULL;
END
$$;

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
AS $$
DECLARE
    touched uuid[];
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        DELETE FROM event_totals;
        RETURN NULL;
    ELSIF TG_OP = 'INSERT' THEN
        SELECT array_agg(DISTINCT event_id) INTO touched FROM new_bookings;
    ELSIF TG_OP = 'DELETE' THEN
        SELECT array_agg(DISTINCT event_id) INTO touched FROM old_bookings;
    ELSE
        SELECT array_agg(DISTINCT new.event_id) INTO touched
        FROM new_bookings AS new JOIN old_bookings AS old USING (id)
        WHERE (new.event_id, new.user_id, new.seats, new.status)
            IS DISTINCT FROM (old.event_id, old.user_id, old.seats, old.status);
    END IF;
    IF touched IS NULL THEN
        RETURN NULL;
    END IF;

    PERFORM 1 FROM events WHERE id = ANY (touched) ORDER BY id FOR NO KEY UPDATE;

    IF TG_OP = 'INSERT' THEN
        PERFORM refuse_seats_above_the_cap(event_id, user_id)
        FROM new_bookings WHERE status <> 'cancelled' GROUP BY event_id, user_id;

        INSERT INTO event_totals AS totals (
            event_id, confirmed_bookings, waiting_bookings, cancelled_bookings, waiting_seats
        )
        SELECT event_id,
               count(*) FILTER (WHERE status = 'confirmed'),
               count(*) FILTER (WHERE status = 'waiting'),
               count(*) FILTER (WHERE status = 'cancelled'),
               coalesce(sum(seats) FILTER (WHERE status = 'waiting'), 0)
        FROM new_bookings GROUP BY event_id
        ON CONFLICT (event_id) DO UPDATE SET
            confirmed_bookings = totals.confirmed_bookings + excluded.confirmed_bookings,
            waiting_bookings = totals.waiting_bookings + excluded.waiting_bookings,
            cancelled_bookings = totals.cancelled_bookings + excluded.cancelled_bookings,
            waiting_seats = totals.waiting_seats + excluded.waiting_seats;
    ELSIF TG_OP = 'UPDATE' THEN
        PERFORM refuse_seats_above_the_cap(new.event_id, new.user_id)
        FROM new_bookings AS new JOIN old_bookings AS old USING (id)
        WHERE new.status <> 'cancelled'
          AND (old.status = 'cancelled' OR new.seats > old.seats
               OR (new.event_id, new.user_id) <> (old.event_id, old.user_id))
        GROUP BY new.event_id, new.user_id;

        UPDATE event_totals AS totals SET
            confirmed_bookings = totals.confirmed_bookings + change.confirmed,
            waiting_bookings = totals.waiting_bookings + change.waiting,
            cancelled_bookings = totals.cancelled_bookings + change.cancelled,
            waiting_seats = totals.waiting_seats + change.seats
        FROM (
            SELECT event_id,
                   coalesce(sum(sign) FILTER (WHERE status = 'confirmed'), 0) AS confirmed,
                   coalesce(sum(sign) FILTER (WHERE status = 'waiting'), 0) AS waiting,
                   coalesce(sum(sign) FILTER (WHERE status = 'cancelled'), 0) AS cancelled,
                   coalesce(sum(sign * seats) FILTER (WHERE status = 'waiting'), 0) AS seats
            FROM (
                SELECT event_id, status, seats, 1 AS sign FROM new_bookings
                UNION ALL
                SELECT event_id, status, seats, -1 FROM old_bookings
            ) AS booking GROUP BY event_id
        ) AS change
        WHERE totals.event_id = change.event_id;
    ELSE
        UPDATE event_totals AS totals SET
            confirmed_bookings = totals.confirmed_bookings - gone.confirmed,
            waiting_bookings = totals.waiting_bookings - gone.waiting,
            cancelled_bookings = totals.cancelled_bookings - gone.cancelled,
            waiting_seats = totals.waiting_seats - gone.seats
        FROM (
            SELECT event_id,
                   count(*) FILTER (WHERE status = 'confirmed') AS confirmed,
                   count(*) FILTER (WHERE status = 'waiting') AS waiting,
                   count(*) FILTER (WHERE status = 'cancelled') AS cancelled,
                   coalesce(sum(seats) FILTER (WHERE status = 'waiting'), 0) AS seats
            FROM old_bookings GROUP BY event_id
        ) AS gone
        WHERE totals.event_id = gone.event_id;
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION refuse_seats_above_the_cap(the_event uuid, the_user uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path = public, pg_temp
AS $$
DECLARE
    cap integer;
    held integer;
BEGIN
    SELECT max_seats_per_person INTO cap FROM events WHERE id = the_event;
    SELECT sum(seats) INTO held FROM bookings
    WHERE event_id = the_event AND user_id = the_user AND status IN ('confirmed', 'waiting');
    IF held > cap THEN
        RAISE EXCEPTION 'A person may hold % seats of event %, not %.', cap, the_event, held
            USING ERRCODE = 'check_violation', CONSTRAINT = 'nobody_holds_more_seats_than_allowed';
    END IF;
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

-- Totals written by hand, or copied back from a dump beside the bookings they count, are passed over.
CREATE OR REPLACE FUNCTION ignore_direct_write() RETURNS trigger
    LANGUAGE plpgsql
AS $$
BEGIN
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER event_totals_are_derived BEFORE INSERT OR UPDATE OR DELETE ON event_totals
    FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION ignore_direct_write();

ALTER TABLE event_totals SET (fillfactor = 50);
ALTER TABLE event_free_runs SET (
    fillfactor = 70,
    autovacuum_vacuum_scale_factor = 0.01,
    autovacuum_vacuum_threshold = 200
);

-- History -----------------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION keep_booking_history() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = public, pg_temp
AS $$
DECLARE
    callers text;
BEGIN
    GET DIAGNOSTICS callers = PG_CONTEXT;
    IF TG_OP = 'DELETE' AND callers LIKE '%function archive_booking_history(timestamp with time zone)%' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'The history of bookings is only ever added to.'
        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'booking_history_is_append_only';
END
$$;

CREATE OR REPLACE TRIGGER booking_history_is_append_only BEFORE UPDATE OR DELETE ON booking_history
    FOR EACH ROW EXECUTE FUNCTION keep_booking_history();

-- The one way out of the table: removes and returns what is older, for the caller to keep elsewhere.
CREATE OR REPLACE FUNCTION archive_booking_history(before timestamptz) RETURNS SETOF booking_history
    LANGUAGE plpgsql
    SET search_path = public, pg_temp
AS $$
BEGIN
    RETURN QUERY DELETE FROM booking_history WHERE created_at < before RETURNING *;
END
$$;
REVOKE EXECUTE ON FUNCTION archive_booking_history(timestamptz) FROM PUBLIC;

-- Who deletes a booking, with its event or by hand, leaves a last line about it.
CREATE OR REPLACE FUNCTION remember_deleted_booking() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = public, pg_temp
AS $$
BEGIN
    INSERT INTO booking_history (booking_id, action, details, event_id, org_id, user_id)
    VALUES (
        OLD.id, 'cancelled',
        jsonb_build_object('reason', 'deleted', 'was', OLD.status, 'seats', OLD.seats),
        OLD.event_id, (SELECT org_id FROM events WHERE id = OLD.event_id), OLD.user_id
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
