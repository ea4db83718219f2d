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

CREATE OR REPLACE TRIGGER events_counters_begin BEFORE INSERT ON events
    FOR EACH ROW EXECUTE FUNCTION keep_event_counters();
CREATE OR REPLACE TRIGGER events_counters_stay BEFORE UPDATE ON events
    FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION keep_event_counters();
CREATE OR REPLACE TRIGGER events_updated_at BEFORE UPDATE ON events
    FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();
