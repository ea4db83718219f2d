-- Keeps updated_at true, whoever writes.
CREATE OR REPLACE FUNCTION update_updated_at_column() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = public, pg_temp
AS $$
BEGIN
    NEW.updated_at := statement_timestamp();
    RETURN NEW;
END
$$;

CREATE OR REPLACE TRIGGER organizations_updated_at BEFORE UPDATE ON organizations
    FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();
CREATE OR REPLACE TRIGGER users_updated_at BEFORE UPDATE ON users
    FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();
CREATE OR REPLACE TRIGGER organization_users_updated_at BEFORE UPDATE ON organization_users
    FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();
CREATE OR REPLACE TRIGGER organization_invites_updated_at BEFORE UPDATE ON organization_invites
    FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();

-- So few rows are never analyzed by the usual thresholds, and without figures the planner joins the list of
-- events the wrong way round.
ALTER TABLE organizations SET (autovacuum_analyze_threshold = 1, autovacuum_analyze_scale_factor = 0);
