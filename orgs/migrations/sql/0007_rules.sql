-- Each grant is written down, whoever makes it and by whatever program; the transaction may say by whom.
-- What is copied back from a dump is older than the transaction and has its lines beside it.
CREATE OR REPLACE FUNCTION remember_membership() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = public, pg_temp
AS $$
DECLARE
    actor uuid := nullif(current_setting('happening.actor', true), '')::uuid;
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.created_at >= transaction_timestamp() THEN
            INSERT INTO membership_history (organization_id, user_id, actor_id, action, details)
            VALUES (NEW.organization_id, NEW.user_id, actor, 'joined', jsonb_build_object(
                'role', NEW.role, 'permissions', NEW.permissions, 'status', NEW.status, 'source', NEW.source
            ));
        END IF;
        RETURN NULL;
    END IF;
    IF TG_OP = 'DELETE' OR (NEW.organization_id, NEW.user_id) <> (OLD.organization_id, OLD.user_id) THEN
        INSERT INTO membership_history (organization_id, user_id, actor_id, action, details)
        VALUES (OLD.organization_id, OLD.user_id, actor, 'left', jsonb_build_object('role', OLD.role));
    END IF;
    IF TG_OP = 'UPDATE' THEN
        INSERT INTO membership_history (organization_id, user_id, actor_id, action, details)
        VALUES (NEW.organization_id, NEW.user_id, actor, 'changed', jsonb_build_object(
            'role', NEW.role, 'permissions', NEW.permissions, 'status', NEW.status, 'source', NEW.source,
            'was', jsonb_build_object('role', OLD.role, 'permissions', OLD.permissions, 'status', OLD.status)
        ));
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER organization_users_are_remembered AFTER INSERT OR DELETE ON organization_users
    FOR EACH ROW EXECUTE FUNCTION remember_membership();
CREATE OR REPLACE TRIGGER organization_users_changes_are_remembered AFTER UPDATE ON organization_users
    FOR EACH ROW WHEN (
        (OLD.organization_id, OLD.user_id, OLD.role, OLD.permissions, OLD.status, OLD.source)
        IS DISTINCT FROM
        (NEW.organization_id, NEW.user_id, NEW.role, NEW.permissions, NEW.status, NEW.source)
    ) EXECUTE FUNCTION remember_membership();

CREATE OR REPLACE FUNCTION keep_membership_history() RETURNS trigger
    LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION 'The history of memberships is only ever added to.'
        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'membership_history_is_append_only';
END
$$;

CREATE OR REPLACE TRIGGER membership_history_is_append_only BEFORE UPDATE OR DELETE ON membership_history
    FOR EACH ROW EXECUTE FUNCTION keep_membership_history();

-- Asked at the end of the transaction, so that an organization can change hands in any order. The lock on the
-- organization's row makes two administrators who demote each other come one after the other: the second
-- sees what the first did. Where a *person* went (suspended, erased), theirs do not count and do not bind:
-- that an organization has lost its last administrator must not keep anybody in.
CREATE OR REPLACE FUNCTION keep_an_administrator() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = public, pg_temp
AS $$
BEGIN
    PERFORM FROM organizations WHERE id = OLD.organization_id AND status <> 'closed' FOR NO KEY UPDATE;
    IF NOT FOUND OR NOT EXISTS (SELECT FROM users WHERE id = OLD.user_id AND status = 'active') THEN
        RETURN NULL;
    END IF;
    IF NOT EXISTS (
        SELECT FROM organization_users AS membership JOIN users ON users.id = membership.user_id
        WHERE membership.organization_id = OLD.organization_id
          AND membership.role = 'orgAdmin' AND membership.status = 'active' AND users.status = 'active'
    ) THEN
        RAISE EXCEPTION 'Organization % would be left without an administrator.', OLD.organization_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'an_organization_keeps_an_administrator';
    END IF;
    RETURN NULL;
END
$$;

DROP TRIGGER IF EXISTS an_organization_keeps_an_administrator ON organization_users;
CREATE CONSTRAINT TRIGGER an_organization_keeps_an_administrator AFTER UPDATE OR DELETE ON organization_users
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.role = 'orgAdmin' AND OLD.status = 'active')
    EXECUTE FUNCTION keep_an_administrator();

CREATE OR REPLACE FUNCTION keep_organization() RETURNS trigger
    LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION 'Organization % is not closed.', OLD.id
        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'only_a_closed_organization_is_deleted';
END
$$;

CREATE OR REPLACE TRIGGER only_a_closed_organization_is_deleted BEFORE DELETE ON organizations
    FOR EACH ROW WHEN (OLD.status <> 'closed') EXECUTE FUNCTION keep_organization();
