-- The hot row: room on the page for its next version (HOT), its long texts elsewhere, cleaned soon.
ALTER TABLE events SET (
    fillfactor = 70,
    toast_tuple_target = 256,
    autovacuum_vacuum_scale_factor = 0.01,
    autovacuum_vacuum_threshold = 200
);

-- What a direct write may not touch: the counter that triggers keep (ignored, not refused, so that a bare
-- save() or a restored row does no harm), the end of an event's life, and capacity below a booked seat.
CREATE OR REPLACE FUNCTION keep_event_counters() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = public, pg_temp
AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.available_slots := NEW.total_slots;
    ELSE
        IF OLD.status IN ('cancelled', 'completed') AND NEW.status <> OLD.status THEN
            RAISE EXCEPTION 'Event % is %: that is final.', OLD.id, OLD.status
                USING ERRCODE = 'check_violation', CONSTRAINT = 'cancelled_and_completed_are_final';
        END IF;
        NEW.available_slots := OLD.available_slots + NEW.total_slots - OLD.total_slots;
        IF current_setting('happening.recount', true) = OLD.id::text THEN
            NEW.available_slots := get_event_available_slots(OLD.id) + NEW.total_slots - OLD.total_slots;
        END IF;
        IF NEW.total_slots < OLD.total_slots AND EXISTS (
            SELECT 1 FROM booking_seats
            WHERE event_id = NEW.id AND status = 'booked' AND seat_no > NEW.total_slots
        ) THEN
            RAISE EXCEPTION 'Event % has a booked seat above %.', NEW.id, NEW.total_slots
                USING ERRCODE = 'check_violation', CONSTRAINT = 'capacity_holds_every_booked_seat';
        END IF;
        NEW.version := OLD.version + 1;
    END IF;
    NEW.is_bookable := NEW.available_slots > 0 AND NEW.status IN ('upcoming', 'ongoing');
    RETURN NEW;
END
$$;

-- For a database whose triggers were switched off for a while: the counter, counted from the seats themselves.
-- Returns by how many it was wrong; the event's row stays locked until the transaction ends.
CREATE OR REPLACE FUNCTION recount_event_available_slots(event_uuid uuid) RETURNS integer
    LANGUAGE plpgsql
    SET search_path = public, pg_temp
AS $$
DECLARE
    was integer;
    is_now integer;
BEGIN
    SELECT available_slots INTO was FROM events WHERE id = event_uuid FOR NO KEY UPDATE;
    PERFORM set_config('happening.recount', event_uuid::text, true);
    UPDATE events SET total_slots = total_slots WHERE id = event_uuid RETURNING available_slots INTO is_now;
    PERFORM set_config('happening.recount', '', true);
    RETURN was - is_now;
END
$$;

CREATE OR REPLACE TRIGGER events_counters_begin BEFORE INSERT ON events
    FOR EACH ROW EXECUTE FUNCTION keep_event_counters();
-- (`events_counters_stay` begins with the triggers that count: bookings 0006.)
CREATE OR REPLACE TRIGGER events_updated_at BEFORE UPDATE ON events
    FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();
