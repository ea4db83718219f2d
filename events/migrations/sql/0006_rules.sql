-- An event goes with its organization or stays behind without one; never to another, which would then see
-- the people of the first.
CREATE OR REPLACE FUNCTION keep_event_organization() RETURNS trigger
    LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION 'Event % belongs to organization %.', OLD.id, OLD.org_id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'an_event_stays_with_its_organization';
END
$$;

CREATE OR REPLACE TRIGGER an_event_stays_with_its_organization BEFORE UPDATE OF org_id ON events
    FOR EACH ROW WHEN (OLD.org_id <> NEW.org_id) EXECUTE FUNCTION keep_event_organization();

CREATE OR REPLACE FUNCTION close_organization() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = public, pg_temp
AS $$
BEGIN
    IF EXISTS (
        SELECT FROM events
        WHERE org_id = NEW.id AND published_at IS NOT NULL AND status IN ('upcoming', 'ongoing')
    ) THEN
        RAISE EXCEPTION 'Organization % still has events that go ahead.', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'an_organization_closes_after_its_events';
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE TRIGGER an_organization_closes_after_its_events BEFORE UPDATE OF status ON organizations
    FOR EACH ROW WHEN (OLD.status <> 'closed' AND NEW.status = 'closed')
    EXECUTE FUNCTION close_organization();
