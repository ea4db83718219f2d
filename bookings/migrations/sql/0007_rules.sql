-- Messages and history name their organization, event and booking as plain values, by which tenants are told
-- apart; where those they name are there, they belong together.
CREATE OR REPLACE FUNCTION keep_tenants_apart() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = public, pg_temp
    SET enable_seqscan = off
AS $$
BEGIN
    IF EXISTS (SELECT FROM events WHERE id = NEW.event_id AND org_id <> NEW.org_id)
        OR EXISTS (
            SELECT FROM bookings JOIN events ON events.id = bookings.event_id
            WHERE bookings.id = NEW.booking_id
              AND (bookings.event_id <> NEW.event_id OR events.org_id <> NEW.org_id)
        )
    THEN
        RAISE EXCEPTION 'A row of % names an organization, an event and a booking that do not belong together.',
            TG_TABLE_NAME
            USING ERRCODE = 'check_violation', CONSTRAINT = 'nothing_belongs_to_two_tenants';
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER nothing_belongs_to_two_tenants
    AFTER INSERT OR UPDATE OF org_id, event_id, booking_id ON notifications
    FOR EACH ROW EXECUTE FUNCTION keep_tenants_apart();
CREATE OR REPLACE TRIGGER nothing_belongs_to_two_tenants
    AFTER INSERT ON booking_history
    FOR EACH ROW EXECUTE FUNCTION keep_tenants_apart();
