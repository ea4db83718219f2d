-- Messages and history name their organization, event and booking as plain values, by which tenants are told
-- apart; where those they name are there, they belong together. One question a statement, however many rows,
-- that goes from the new rows to what they name by its key (OFFSET 0 keeps it so): a plan that a session made
-- while its tables were empty serves it still when they are full.
CREATE OR REPLACE FUNCTION keep_tenants_apart() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = public, pg_temp
    SET enable_seqscan = off
    SET enable_hashjoin = off
    SET enable_mergejoin = off
AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM FROM new_rows AS row
        LEFT JOIN LATERAL (SELECT event_id FROM bookings WHERE id = row.booking_id OFFSET 0) AS booking ON true
        JOIN LATERAL (
            SELECT org_id FROM events WHERE id = coalesce(booking.event_id, row.event_id) OFFSET 0
        ) AS event ON true
        WHERE event.org_id <> row.org_id OR booking.event_id <> row.event_id;
    ELSE
        PERFORM FROM (SELECT NEW.org_id, NEW.event_id, NEW.booking_id) AS row
        LEFT JOIN bookings ON bookings.id = row.booking_id
        JOIN events ON events.id = coalesce(bookings.event_id, row.event_id)
        WHERE events.org_id <> row.org_id OR bookings.event_id <> row.event_id;
    END IF;
    IF FOUND THEN
        RAISE EXCEPTION 'A row of % names an organization, an event and a booking that do not belong together.',
            TG_TABLE_NAME
            USING ERRCODE = 'check_violation', CONSTRAINT = 'nothing_belongs_to_two_tenants';
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER nothing_belongs_to_two_tenants AFTER INSERT ON notifications
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION keep_tenants_apart();
CREATE OR REPLACE TRIGGER nothing_comes_to_belong_to_two_tenants
    AFTER UPDATE OF org_id, event_id, booking_id ON notifications
    FOR EACH ROW WHEN (
        (OLD.org_id, OLD.event_id, OLD.booking_id) IS DISTINCT FROM (NEW.org_id, NEW.event_id, NEW.booking_id)
    ) EXECUTE FUNCTION keep_tenants_apart();
CREATE OR REPLACE TRIGGER nothing_belongs_to_two_tenants AFTER INSERT ON booking_history
    REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION keep_tenants_apart();
