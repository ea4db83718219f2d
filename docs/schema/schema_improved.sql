-- Happening: from the original schema (schema.sql) to today's, with all that is in it.
--
--     psql -d happening -f schema_improved.sql
--
-- It can be run again at any time: where something stands already nothing is done, a run that was cut off
-- goes on where it stopped, and the counters are counted anew. It is made for a database in use, so it is
-- not one transaction: locks are short, and let go again before anybody could fail by them (where a table is
-- held for long it stops; run it again), rules are added unchecked and checked afterwards beside the writers,
-- indexes are built beside them, rows are made to fit in pages.
--
-- A rule that old rows break is kept for every new one and reported by a warning; put those rows right and
-- run this again. A unique index cannot be had by halves: where rows are double it stops and says which.

\set ON_ERROR_STOP on
SET client_min_messages = warning;
SET search_path = public, pg_temp;
SET lock_timeout = '500ms';

-- All of these tables, or none: who waited for one while holding another could make a program fail that does
-- the same, after deadlock_timeout (a second). For the rest of a transaction.
CREATE OR REPLACE PROCEDURE pg_temp.lock_tables(wanted text[], mode text) LANGUAGE plpgsql AS $$
DECLARE
    one text;
BEGIN
    SET LOCAL lock_timeout = '150ms';
    FOR attempt IN 1..20 LOOP
        BEGIN
            FOREACH one IN ARRAY wanted LOOP
                EXECUTE format('LOCK TABLE %I IN %s MODE', one, mode);
            END LOOP;
            RETURN;
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            IF attempt = 20 THEN
                RAISE;
            END IF;
        END;
        PERFORM pg_sleep(0.2 + random() * 0.3);
        SELECT array_agg(name ORDER BY place DESC) INTO wanted
        FROM unnest(wanted) WITH ORDINALITY AS _ (name, place);
    END LOOP;
END
$$;

-- Write rows anew, a page at a time and a transaction each. `which` selects the ids of those that need it, from
-- $1 on, in order, at most $2; `does` are statements for a page, $1.
CREATE OR REPLACE PROCEDURE pg_temp.in_pages(which text, does text[], most integer DEFAULT 2000)
LANGUAGE plpgsql AS $$
DECLARE
    beyond uuid := '00000000-0000-0000-0000-000000000000';
    ids uuid[];
    one text;
BEGIN
    LOOP
        EXECUTE 'SELECT array_agg(id) FROM (' || which || ') AS page (id)' INTO ids USING beyond, most;
        EXIT WHEN ids IS NULL;
        FOR attempt IN 1..20 LOOP
            BEGIN
                SET LOCAL lock_timeout = '150ms';
                FOREACH one IN ARRAY does LOOP
                    EXECUTE one USING ids;
                END LOOP;
                EXIT;
            EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
                IF attempt = 20 THEN
                    RAISE;
                END IF;
            END;
            PERFORM pg_sleep(0.2);
        END LOOP;
        COMMIT;
        EXIT WHEN cardinality(ids) < most OR ids[most] = 'ffffffff-ffff-ffff-ffff-ffffffffffff';
        beyond := ids[most];
    END LOOP;
END
$$;

-- Add a rule, unchecked for the rows that stand already. One that knows a list of values is replaced where
-- it does not know the value `since` yet.
CREATE OR REPLACE PROCEDURE pg_temp.rule(
    relation regclass, rule name, condition text, since text DEFAULT NULL
) LANGUAGE plpgsql AS $$
DECLARE
    standing text;
BEGIN
    SELECT pg_get_constraintdef(oid) INTO standing
    FROM pg_constraint WHERE conrelid = relation AND conname = rule;
    IF standing IS NULL OR position(quote_literal(since) IN standing) = 0 THEN
        CALL pg_temp.lock_tables(ARRAY[relation::text], 'ACCESS EXCLUSIVE');
    END IF;
    IF position(quote_literal(since) IN standing) = 0 THEN
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', relation, rule);
        standing := NULL;
    END IF;
    IF standing IS NULL THEN
        EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I CHECK (%s) NOT VALID', relation, rule, condition);
    END IF;
END
$$;

-- Make a constraint of a unique index.
CREATE OR REPLACE PROCEDURE pg_temp.make_constraint(relation regclass, index name) LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = relation AND conname = index) THEN
        CALL pg_temp.lock_tables(ARRAY[relation::text], 'ACCESS EXCLUSIVE');
        EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I UNIQUE USING INDEX %2$I', relation, index);
    END IF;
END
$$;

-- Columns -----------------------------------------------------------------------------------------------

BEGIN;
CALL pg_temp.lock_tables(ARRAY['organization_users'], 'ACCESS EXCLUSIVE');
ALTER TABLE organization_users
    ADD COLUMN IF NOT EXISTS source varchar(20) DEFAULT 'local' NOT NULL;
COMMIT;

BEGIN;
CALL pg_temp.lock_tables(ARRAY['organizations'], 'ACCESS EXCLUSIVE');
ALTER TABLE organizations
    ADD COLUMN IF NOT EXISTS slug varchar(63);
COMMIT;

BEGIN;
CALL pg_temp.lock_tables(ARRAY['users'], 'ACCESS EXCLUSIVE');
ALTER TABLE users
    ADD COLUMN IF NOT EXISTS is_platform_staff boolean DEFAULT false NOT NULL,
    ADD COLUMN IF NOT EXISTS last_login timestamptz,
    ADD COLUMN IF NOT EXISTS password varchar(128) DEFAULT '' NOT NULL,
    ADD COLUMN IF NOT EXISTS session_epoch integer DEFAULT 0 NOT NULL;
COMMIT;

-- What stands already was on show; only what comes after begins as a draft (published_at is null). A
-- column's default at its making costs no write of the rows.
BEGIN;
CALL pg_temp.lock_tables(ARRAY['events'], 'ACCESS EXCLUSIVE');
ALTER TABLE events
    ADD COLUMN IF NOT EXISTS booking_closes_at timestamptz,
    ADD COLUMN IF NOT EXISTS booking_opens_at timestamptz,
    ADD COLUMN IF NOT EXISTS cancellation_reason varchar(500) DEFAULT '' NOT NULL,
    ADD COLUMN IF NOT EXISTS is_bookable boolean DEFAULT true NOT NULL,
    ADD COLUMN IF NOT EXISTS last_waiting_number integer DEFAULT 0 NOT NULL,
    ADD COLUMN IF NOT EXISTS layout jsonb,
    ADD COLUMN IF NOT EXISTS max_seats_per_booking smallint DEFAULT 50 NOT NULL,
    ADD COLUMN IF NOT EXISTS max_seats_per_person smallint DEFAULT 50 NOT NULL,
    ADD COLUMN IF NOT EXISTS online_url varchar(500) DEFAULT '' NOT NULL,
    ADD COLUMN IF NOT EXISTS place varchar(300) DEFAULT '' NOT NULL,
    ADD COLUMN IF NOT EXISTS published_at timestamptz DEFAULT statement_timestamp(),
    ADD COLUMN IF NOT EXISTS queue_rule varchar(10) DEFAULT 'strict' NOT NULL,
    ADD COLUMN IF NOT EXISTS sequence integer DEFAULT 0 NOT NULL,
    ADD COLUMN IF NOT EXISTS source_uid varchar(300),
    ADD COLUMN IF NOT EXISTS version bigint DEFAULT 1 NOT NULL,
    ADD COLUMN IF NOT EXISTS visibility varchar(20) DEFAULT 'public' NOT NULL,
    ADD COLUMN IF NOT EXISTS waitlist boolean DEFAULT true NOT NULL;
ALTER TABLE events ALTER COLUMN published_at DROP DEFAULT;
COMMIT;

BEGIN;
CALL pg_temp.lock_tables(ARRAY['notifications'], 'ACCESS EXCLUSIVE');
ALTER TABLE notifications
    ADD COLUMN IF NOT EXISTS attempts smallint DEFAULT 0 NOT NULL,
    ADD COLUMN IF NOT EXISTS booking_id uuid,
    ADD COLUMN IF NOT EXISTS dedupe_key varchar(200),
    ADD COLUMN IF NOT EXISTS delivered_at timestamptz,
    ADD COLUMN IF NOT EXISTS due_at timestamptz DEFAULT statement_timestamp() NOT NULL,
    ADD COLUMN IF NOT EXISTS event_id uuid,
    ADD COLUMN IF NOT EXISTS failed_at timestamptz,
    ADD COLUMN IF NOT EXISTS last_error text,
    ADD COLUMN IF NOT EXISTS lease_until timestamptz,
    ADD COLUMN IF NOT EXISTS org_id uuid,
    ADD COLUMN IF NOT EXISTS read_at timestamptz,
    ADD COLUMN IF NOT EXISTS sent_at timestamptz,
    ADD COLUMN IF NOT EXISTS superseded_by uuid,
    ADD COLUMN IF NOT EXISTS in_bulk boolean DEFAULT false NOT NULL;
COMMIT;

BEGIN;
CALL pg_temp.lock_tables(ARRAY['bookings'], 'ACCESS EXCLUSIVE');
ALTER TABLE bookings
    ADD COLUMN IF NOT EXISTS idempotency_key uuid,
    ADD COLUMN IF NOT EXISTS version integer DEFAULT 1 NOT NULL;
COMMIT;

BEGIN;
CALL pg_temp.lock_tables(ARRAY['booking_history'], 'ACCESS EXCLUSIVE');
ALTER TABLE booking_history
    ADD COLUMN IF NOT EXISTS event_id uuid,
    ADD COLUMN IF NOT EXISTS org_id uuid,
    ADD COLUMN IF NOT EXISTS user_id uuid;
COMMIT;

-- Tables ------------------------------------------------------------------------------------------------

CREATE TABLE IF NOT EXISTS keycloak_groups (
    id uuid DEFAULT gen_random_uuid() NOT NULL PRIMARY KEY,
    created_at timestamptz DEFAULT statement_timestamp() NOT NULL,
    updated_at timestamptz DEFAULT statement_timestamp() NOT NULL,
    path varchar(255) NOT NULL,
    role varchar(20) NOT NULL,
    organization_id uuid NOT NULL,
    CONSTRAINT a_keycloak_group_gives_one_role_in_an_organization UNIQUE (organization_id, path),
    CONSTRAINT keycloak_group_is_a_path CHECK (path ~ '^/\S'),
    CONSTRAINT keycloak_group_role_is_known CHECK (role IN ('orgAdmin', 'organizer', 'user')),
    CONSTRAINT keycloak_groups_organization_id_fkey
        FOREIGN KEY (organization_id) REFERENCES organizations (id) ON DELETE CASCADE
);
COMMENT ON TABLE keycloak_groups IS 'Which Keycloak group gives which role in which organization.';

CREATE TABLE IF NOT EXISTS spent_tokens (
    id uuid DEFAULT gen_random_uuid() NOT NULL PRIMARY KEY,
    digest varchar(64) NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT a_token_is_spent_once UNIQUE (digest),
    CONSTRAINT spent_token_is_a_digest CHECK (digest ~ '^[0-9a-f]{64}$')
);
COMMENT ON TABLE spent_tokens IS
    'Tokens that work once and have been used, as SHA-256, until they are too old.';

CREATE TABLE IF NOT EXISTS job_runs (
    id uuid DEFAULT gen_random_uuid() NOT NULL PRIMARY KEY,
    created_at timestamptz DEFAULT statement_timestamp() NOT NULL,
    updated_at timestamptz DEFAULT statement_timestamp() NOT NULL,
    job varchar(60) NOT NULL,
    started_at timestamptz NOT NULL,
    finished_at timestamptz,
    outcome varchar(10),
    done_at timestamptz,
    CONSTRAINT a_job_has_one_record UNIQUE (job),
    CONSTRAINT job_run_outcome_is_known CHECK (outcome IN ('done', 'failed')),
    CONSTRAINT finished_job_run_says_how CHECK (
        (finished_at IS NULL AND outcome IS NULL) OR (finished_at IS NOT NULL AND outcome IS NOT NULL)
    )
);
COMMENT ON TABLE job_runs IS 'The last run of each job of the timetable, and when it last ended well.';

BEGIN;
CALL pg_temp.lock_tables(ARRAY['events'], 'SHARE ROW EXCLUSIVE');
CREATE TABLE IF NOT EXISTS event_jobs (
    id uuid DEFAULT gen_random_uuid() NOT NULL PRIMARY KEY,
    created_at timestamptz DEFAULT statement_timestamp() NOT NULL,
    updated_at timestamptz DEFAULT statement_timestamp() NOT NULL,
    kind varchar(20) NOT NULL,
    details jsonb DEFAULT '{}'::jsonb NOT NULL,
    due_at timestamptz NOT NULL,
    cursor uuid,
    finished_at timestamptz,
    event_id uuid NOT NULL,
    CONSTRAINT event_jobs_event_id_fkey FOREIGN KEY (event_id) REFERENCES events (id) ON DELETE CASCADE
);
COMMIT;
COMMENT ON TABLE event_jobs IS
    'Work owed by an event, done in pages: cancelling, telling, settling, reminding.';

BEGIN;
CALL pg_temp.lock_tables(ARRAY['events'], 'SHARE ROW EXCLUSIVE');
CREATE TABLE IF NOT EXISTS event_totals (
    event_id uuid NOT NULL PRIMARY KEY,
    confirmed_bookings integer DEFAULT 0 NOT NULL,
    waiting_bookings integer DEFAULT 0 NOT NULL,
    cancelled_bookings integer DEFAULT 0 NOT NULL,
    waiting_seats integer DEFAULT 0 NOT NULL,
    CONSTRAINT event_totals_event_id_fkey FOREIGN KEY (event_id) REFERENCES events (id) ON DELETE CASCADE
);
COMMIT;
COMMENT ON TABLE event_totals IS 'Derived: how many bookings of each kind an event has.';

BEGIN;
CALL pg_temp.lock_tables(ARRAY['events'], 'SHARE ROW EXCLUSIVE');
CREATE TABLE IF NOT EXISTS event_free_runs (
    first_seat integer NOT NULL,
    last_seat integer NOT NULL,
    length smallint GENERATED ALWAYS AS (least(last_seat - first_seat + 1, 50)) STORED,
    event_id uuid NOT NULL,
    PRIMARY KEY (event_id, last_seat),
    CONSTRAINT free_runs_begin_before_they_end CHECK (first_seat >= 1 AND last_seat >= first_seat),
    CONSTRAINT event_free_runs_event_id_fkey FOREIGN KEY (event_id) REFERENCES events (id) ON DELETE CASCADE
);
COMMIT;
COMMENT ON TABLE event_free_runs IS 'Derived: the runs of free seats of each event, one row a run.';

CREATE TABLE IF NOT EXISTS membership_history (
    id uuid DEFAULT gen_random_uuid() NOT NULL PRIMARY KEY,
    organization_id uuid NOT NULL,
    user_id uuid NOT NULL,
    actor_id uuid,
    action varchar(20) NOT NULL,
    details jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamptz DEFAULT statement_timestamp() NOT NULL,
    CONSTRAINT membership_history_action_is_known CHECK (action IN ('joined', 'changed', 'left'))
);
CREATE INDEX IF NOT EXISTS idx_membership_history_org ON membership_history (organization_id, created_at);
CREATE INDEX IF NOT EXISTS idx_membership_history_user ON membership_history (user_id, created_at);
COMMENT ON TABLE membership_history IS 'Append-only: who was given or lost which role in an organization, and by whom.';

CREATE TABLE IF NOT EXISTS notification_preferences (
    id uuid DEFAULT gen_random_uuid() NOT NULL PRIMARY KEY,
    created_at timestamptz DEFAULT statement_timestamp() NOT NULL,
    updated_at timestamptz DEFAULT statement_timestamp() NOT NULL,
    type varchar(40) NOT NULL,
    by_mail boolean NOT NULL,
    user_id uuid NOT NULL,
    CONSTRAINT booking_mail_cannot_be_turned_off CHECK (type IN ('event_reminder', 'everything')),
    CONSTRAINT a_person_chooses_once_for_each_type UNIQUE (user_id, type),
    CONSTRAINT notification_preferences_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);
COMMENT ON TABLE notification_preferences IS
    'What people chose: which messages come by mail, and which stay in the inbox.';

CREATE TABLE IF NOT EXISTS account_mails (
    id uuid DEFAULT gen_random_uuid() NOT NULL PRIMARY KEY,
    created_at timestamptz DEFAULT statement_timestamp() NOT NULL,
    updated_at timestamptz DEFAULT statement_timestamp() NOT NULL,
    kind varchar(20) NOT NULL,
    recipient varchar(254) NOT NULL,
    subject varchar(250) NOT NULL,
    sealed text,
    status varchar(10) DEFAULT 'pending' NOT NULL,
    due_at timestamptz NOT NULL,
    give_up_at timestamptz NOT NULL,
    lease_until timestamptz,
    attempts smallint DEFAULT 0 NOT NULL,
    last_error text,
    sent_at timestamptz,
    failed_at timestamptz,
    organization_id uuid,
    user_id uuid,
    CONSTRAINT account_mail_kind_is_known CHECK (kind IN ('verification', 'password_reset', 'invite', 'notice')),
    CONSTRAINT account_mail_status_is_known CHECK (status IN ('pending', 'sent', 'failed')),
    CONSTRAINT account_mail_goes_to_an_address
        CHECK (recipient ~ '^[A-Za-z0-9.!#$%&''*+/=?^_`{|}~-]+@([A-Za-z0-9-]+\.)+[A-Za-z][A-Za-z0-9-]*[A-Za-z0-9]$'),
    CONSTRAINT account_mail_subject_is_one_line CHECK (subject ~ '^[^\r\n]*\S[^\r\n]*$'),
    CONSTRAINT pending_account_mail_has_its_text CHECK (NOT status = 'pending' OR sealed IS NOT NULL),
    CONSTRAINT sent_account_mail_keeps_no_text CHECK (NOT status = 'sent' OR sealed IS NULL),
    CONSTRAINT sent_account_mail_alone_says_when
        CHECK ((sent_at IS NOT NULL AND status = 'sent') OR (NOT status = 'sent' AND sent_at IS NULL)),
    CONSTRAINT failed_account_mail_alone_says_when_and_why CHECK (
        (failed_at IS NOT NULL AND last_error IS NOT NULL AND status = 'failed')
        OR (NOT status = 'failed' AND failed_at IS NULL)
    ),
    CONSTRAINT only_pending_account_mail_is_leased CHECK (lease_until IS NULL OR status = 'pending'),
    CONSTRAINT account_mails_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT account_mails_organization_id_fkey
        FOREIGN KEY (organization_id) REFERENCES organizations (id) ON DELETE CASCADE
);
COMMENT ON TABLE account_mails IS
    'Mails about accounts, owed until sent: confirmations, new passwords, invitations.';

-- Rules for single rows ---------------------------------------------------------------------------------

CALL pg_temp.rule('organizations', 'organization_name_is_not_empty', $$name ~ '\S'$$);
CALL pg_temp.rule('organizations', 'organization_domain_is_a_domain',
    $$domain ~ '^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$'$$);
CALL pg_temp.rule('organizations', 'organization_slug_is_a_label',
    $$slug ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'$$);
CALL pg_temp.rule('organizations', 'organization_slug_is_not_reserved', $$NOT (slug IN (
    'account', 'accounts', 'admin', 'api', 'app', 'assets', 'auth', 'autoconfig', 'autodiscover',
    'billing', 'blog', 'cdn', 'dashboard', 'dev', 'docs', 'email', 'events', 'ftp', 'happening',
    'help', 'imap', 'invites', 'keycloak', 'live', 'localhost', 'login', 'mail', 'media', 'metrics',
    'mx', 'ns1', 'ns2', 'oidc', 'orgs', 'pop', 'postmaster', 'root', 'smtp', 'sso', 'static',
    'status', 'support', 'test', 'webmail', 'www'
) AND slug IS NOT NULL)$$);
CALL pg_temp.rule('organizations', 'organization_settings_are_an_object', $$jsonb_typeof(settings) = 'object'$$);

CALL pg_temp.rule('users', 'user_email_is_an_address',
    $$email ~ '^[A-Za-z0-9.!#$%&''*+/=?^_`{|}~-]+@([A-Za-z0-9-]+\.)+[A-Za-z][A-Za-z0-9-]*[A-Za-z0-9]$'$$);
CALL pg_temp.rule('users', 'user_phone_is_e164', $$phone ~ '^\+[1-9][0-9]{1,14}$'$$);
CALL pg_temp.rule('users', 'user_name_is_not_empty', $$name ~ '\S'$$);
CALL pg_temp.rule('users', 'only_erased_people_have_no_email', $$email IS NOT NULL OR status = 'erased'$$);

CALL pg_temp.rule('organization_users', 'membership_source_is_known', $$source IN ('local', 'keycloak')$$);
CALL pg_temp.rule('organization_users', 'membership_permissions_are_lists_of_flags',
    $$jsonb_typeof(permissions) = 'object'
      AND coalesce(jsonb_typeof(permissions -> 'grant'), 'array') = 'array'
      AND coalesce(jsonb_typeof(permissions -> 'deny'), 'array') = 'array'$$);

CALL pg_temp.rule('organization_invites', 'invite_email_is_an_address',
    $$email ~ '^[A-Za-z0-9.!#$%&''*+/=?^_`{|}~-]+@([A-Za-z0-9-]+\.)+[A-Za-z][A-Za-z0-9-]*[A-Za-z0-9]$'$$);
CALL pg_temp.rule('organization_invites', 'invite_token_is_not_empty', $$token ~ '\S'$$);
CALL pg_temp.rule('organization_invites', 'invite_expires_after_it_was_made', $$expires_at > created_at$$);

CALL pg_temp.rule('events', 'event_category_is_known',
    $$category IN ('webinar', 'concert', 'hackathon', 'conference', 'workshop', 'meetup', 'other')$$,
    since => 'conference');
CALL pg_temp.rule('events', 'event_visibility_is_known', $$visibility IN ('public', 'unlisted', 'members')$$);
CALL pg_temp.rule('events', 'event_queue_rule_is_known', $$queue_rule IN ('strict', 'fill')$$);
CALL pg_temp.rule('events', 'event_title_is_not_empty', $$title ~ '\S'$$);
CALL pg_temp.rule('events', 'event_time_zone_is_not_empty', $$time_zone ~ '\S'$$);
CALL pg_temp.rule('events', 'event_has_at_least_one_seat', $$total_slots > 0$$);
CALL pg_temp.rule('events', 'available_slots_lie_between_none_and_all',
    $$available_slots >= 0 AND available_slots <= total_slots$$);
CALL pg_temp.rule('events', 'event_ends_after_it_starts', $$ends_at > event_date$$);
CALL pg_temp.rule('events', 'booking_closes_after_it_opens', $$booking_closes_at > booking_opens_at$$);
CALL pg_temp.rule('events', 'a_booking_may_hold_1_to_50_seats',
    $$max_seats_per_booking >= 1 AND max_seats_per_booking <= 50$$);
CALL pg_temp.rule('events', 'a_person_may_hold_at_least_one_seat', $$max_seats_per_person >= 1$$);

CALL pg_temp.rule('notifications', 'notification_type_is_known',
    $$type IN ('booking_confirmed', 'booking_waitlisted', 'booking_cancelled', 'waitlist_promoted',
               'event_updated', 'event_cancelled', 'event_reminder')$$,
    since => 'event_reminder');
CALL pg_temp.rule('notifications', 'notification_status_is_known',
    $$status IN ('pending', 'sent', 'failed', 'delivered')$$, since => 'delivered');
CALL pg_temp.rule('notifications', 'sent_notifications_say_when',
    $$NOT status = 'sent' OR sent_at IS NOT NULL$$);
CALL pg_temp.rule('notifications', 'delivered_notifications_alone_say_when',
    $$(delivered_at IS NOT NULL AND status = 'delivered') OR (NOT status = 'delivered' AND delivered_at IS NULL)$$);
CALL pg_temp.rule('notifications', 'failed_notifications_alone_say_when',
    $$(failed_at IS NOT NULL AND status = 'failed') OR (NOT status = 'failed' AND failed_at IS NULL)$$);
CALL pg_temp.rule('notifications', 'only_notifications_under_way_are_leased',
    $$lease_until IS NULL OR status IN ('pending', 'sent')$$);
CALL pg_temp.rule('notifications', 'superseded_notifications_are_done',
    $$superseded_by IS NULL OR status = 'delivered'$$);

CALL pg_temp.rule('bookings', 'a_booking_has_1_to_50_seats', $$seats >= 1 AND seats <= 50$$);
CALL pg_temp.rule('bookings', 'only_waiting_bookings_have_a_number',
    $$waiting_number IS NULL OR status = 'waiting'$$);
CALL pg_temp.rule('bookings', 'waiting_bookings_have_a_number',
    $$(waiting_number >= 1 AND waiting_number IS NOT NULL) OR NOT status = 'waiting'$$);

CALL pg_temp.rule('booking_seats', 'seat_numbers_begin_at_1', $$seat_no >= 1$$);

CALL pg_temp.rule('event_jobs', 'event_job_kind_is_known',
    $$kind IN ('cancel_bookings', 'settle_queue', 'tell_of_change', 'remind')$$, since => 'remind');

CALL pg_temp.rule('booking_history', 'booking_history_action_is_known',
    $$action IN ('created', 'cancelled', 'promoted', 'modified')$$, since => 'modified');

-- What stood before is made to fit ------------------------------------------------------------------------

-- Until triggers keep it, below: within its bounds, and counted by hand.
CALL pg_temp.in_pages($$
    SELECT id FROM events
    WHERE id > $1 AND available_slots NOT BETWEEN 0 AND total_slots AND total_slots > 0 ORDER BY id LIMIT $2
$$, ARRAY[$$
    UPDATE events SET available_slots = greatest(0, least(available_slots, total_slots))
    WHERE id = ANY ($1) AND total_slots > 0
$$], most => 50);

CALL pg_temp.in_pages($$
    SELECT id FROM events
    WHERE id > $1 AND NOT EXISTS (
        SELECT FROM pg_trigger WHERE tgrelid = 'events'::regclass AND tgname = 'events_counters_stay'
    ) AND total_slots > 0 AND available_slots IS DISTINCT FROM greatest(0, total_slots - (
        SELECT count(*) FROM booking_seats WHERE event_id = events.id AND status = 'booked'
    ))
    ORDER BY id LIMIT $2
$$, ARRAY[$$
    SELECT FROM events WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE
$$, $$
    UPDATE events SET available_slots = greatest(0, total_slots - (
        SELECT count(*) FROM booking_seats WHERE event_id = events.id AND status = 'booked'
    ))
    WHERE id = ANY ($1) AND total_slots > 0
$$], most => 50);

-- When was not kept; the last change of the row is as near as anybody can come.
CALL pg_temp.in_pages($$
    SELECT id FROM notifications
    WHERE id > $1 AND (status = 'sent' AND sent_at IS NULL OR status = 'failed' AND failed_at IS NULL)
    ORDER BY id LIMIT $2
$$, ARRAY[$$
    UPDATE notifications SET sent_at = CASE WHEN status = 'sent' THEN updated_at END,
                             failed_at = CASE WHEN status = 'failed' THEN updated_at END
    WHERE id = ANY ($1) AND status IN ('sent', 'failed')
$$]);

-- A number is a place in line: it ends with the waiting, everybody who waits has one, nobody shares one.
-- Whoever had a place keeps it before whoever came later.
CALL pg_temp.in_pages($$
    SELECT id FROM bookings
    WHERE id > $1 AND status <> 'waiting' AND waiting_number IS NOT NULL ORDER BY id LIMIT $2
$$, ARRAY[$$
    UPDATE bookings SET waiting_number = NULL WHERE id = ANY ($1) AND status <> 'waiting'
$$]);
CALL pg_temp.in_pages($$
    SELECT event_id FROM bookings WHERE status = 'waiting' AND event_id > $1 GROUP BY event_id
    HAVING count(*) > count(DISTINCT waiting_number) OR min(waiting_number) < 1
    ORDER BY event_id LIMIT $2
$$, ARRAY[$$
    SELECT FROM events WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE
$$, $$
    UPDATE bookings SET waiting_number = line.place
    FROM (
        SELECT id, row_number() OVER (
            PARTITION BY event_id ORDER BY waiting_number NULLS LAST, created_at, id
        ) AS place
        FROM bookings WHERE status = 'waiting' AND event_id = ANY ($1)
    ) AS line
    WHERE bookings.id = line.id AND bookings.waiting_number IS DISTINCT FROM line.place
$$], most => 50);

-- An address has one pending invite of an organization, the newest.
UPDATE organization_invites AS earlier SET status = 'revoked'
FROM organization_invites AS later
WHERE earlier.status = 'pending' AND later.status = 'pending'
  AND later.organization_id = earlier.organization_id AND lower(later.email) = lower(earlier.email)
  AND (later.created_at, later.id) > (earlier.created_at, earlier.id);

-- Only while the history is not sealed yet.
CALL pg_temp.in_pages($$
    SELECT line.id FROM booking_history AS line
    JOIN bookings AS booking ON booking.id = line.booking_id
    WHERE line.id > $1 AND line.event_id IS NULL AND NOT EXISTS (
        SELECT FROM pg_trigger
        WHERE tgrelid = 'booking_history'::regclass AND tgname = 'booking_history_is_append_only'
    )
    ORDER BY line.id LIMIT $2
$$, ARRAY[$$
    UPDATE booking_history AS line
    SET event_id = booking.event_id, org_id = event.org_id, user_id = booking.user_id
    FROM bookings AS booking JOIN events AS event ON event.id = booking.event_id
    WHERE line.id = ANY ($1) AND booking.id = line.booking_id
$$]);

-- Indexes -----------------------------------------------------------------------------------------------

-- What a cut-off build left behind guards nothing, and IF NOT EXISTS would accept it.
DO $$
DECLARE
    index regclass;
BEGIN
    FOR index IN
        SELECT indexrelid FROM pg_index
        WHERE NOT indisvalid AND indrelid IN (
            'organizations'::regclass, 'users'::regclass, 'organization_users'::regclass,
            'organization_invites'::regclass, 'events'::regclass, 'bookings'::regclass,
            'booking_seats'::regclass, 'booking_history'::regclass, 'notifications'::regclass,
            'event_jobs'::regclass, 'event_totals'::regclass, 'event_free_runs'::regclass,
            'membership_history'::regclass,
            'notification_preferences'::regclass, 'account_mails'::regclass,
            'keycloak_groups'::regclass, 'spent_tokens'::regclass, 'job_runs'::regclass
        )
    LOOP
        EXECUTE format('DROP INDEX %s', index);
    END LOOP;
END
$$;

-- A build waits for old transactions without holding anybody up.
SET lock_timeout = 0;

CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS organizations_have_distinct_slugs ON organizations (slug);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_organizations_status ON organizations (status);

CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS users_have_distinct_emails ON users (lower(email));
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_users_email ON users (email);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_users_status ON users (status);

CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_organization_users_user_id ON organization_users (user_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_organization_users_active
    ON organization_users (organization_id, user_id) WHERE status = 'active';

CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_invites_organization
    ON organization_invites (organization_id, status);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_invites_pending
    ON organization_invites (expires_at) WHERE status = 'pending';
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_invites_invited_by ON organization_invites (invited_by);
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS an_address_has_one_pending_invite
    ON organization_invites (organization_id, lower(email)) WHERE status = 'pending';

CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_keycloak_groups_path ON keycloak_groups (path);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_spent_tokens_expires_at ON spent_tokens (expires_at);

-- None mentions available_slots or updated_at: a booking's update of its event stays on the page (HOT).
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_events_date_status ON events (event_date, status);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_events_status ON events (status, event_date);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_events_org_id ON events (org_id, event_date);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_events_listed
    ON events (event_date, id) WHERE published_at IS NOT NULL AND visibility = 'public';
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_events_listed_by_category
    ON events (category, event_date, id) WHERE published_at IS NOT NULL AND visibility = 'public';
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_events_listed_with_seats
    ON events (event_date, id) WHERE is_bookable AND published_at IS NOT NULL AND visibility = 'public';
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_events_search ON events USING gin (to_tsvector(
    'simple'::regconfig,
    coalesce(title, '') || ' ' || coalesce(description, '') || ' ' || coalesce(place, '')
));
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS an_imported_event_stands_once ON events (org_id, source_uid);

CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_notifications_pending
    ON notifications (in_bulk, due_at, id) WHERE status = 'pending';
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_notifications_inbox
    ON notifications (user_id, created_at DESC, id DESC);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_notifications_unread
    ON notifications (user_id) WHERE read_at IS NULL;
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_notifications_sent
    ON notifications (sent_at) WHERE status = 'sent';
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_notifications_failed
    ON notifications (failed_at) WHERE status = 'failed';
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_notifications_done_with
    ON notifications (delivered_at) WHERE read_at IS NOT NULL AND status = 'delivered';
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_notifications_event_user ON notifications (event_id, user_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_notifications_org_id ON notifications (org_id, id);
DROP INDEX CONCURRENTLY IF EXISTS idx_notifications_event_id;
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_notifications_booking_id
    ON notifications (booking_id) WHERE booking_id IS NOT NULL;
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS nobody_is_told_the_same_thing_twice
    ON notifications (dedupe_key);

CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_bookings_event_id ON bookings (event_id, status, id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_bookings_user_id
    ON bookings (user_id, created_at DESC, id DESC);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_bookings_waiting_parties
    ON bookings (event_id, seats, waiting_number) WHERE status = 'waiting';
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS a_booking_has_one_event ON bookings (id, event_id);
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS a_form_books_once
    ON bookings (event_id, user_id, idempotency_key);
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS nobody_shares_a_waiting_number
    ON bookings (event_id, waiting_number) WHERE status = 'waiting';

CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_booking_seats_booking_id ON booking_seats (booking_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_booking_seats_event_id ON booking_seats (event_id);

CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_booking_history_booking_id
    ON booking_history (booking_id, created_at, id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_booking_history_event_id ON booking_history (event_id, created_at);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_booking_history_org_id ON booking_history (org_id, created_at, id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_booking_history_passing
    ON booking_history (event_id, created_at) WHERE details ? 'stood_at';
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_booking_history_created_at ON booking_history (created_at);

CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_event_jobs_open ON event_jobs (due_at) WHERE finished_at IS NULL;
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_event_jobs_event_id ON event_jobs (event_id);
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS an_event_owes_each_kind_once
    ON event_jobs (event_id, kind) WHERE finished_at IS NULL;

CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_account_mails_pending ON account_mails (due_at) WHERE status = 'pending';
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_account_mails_user_id ON account_mails (user_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_account_mails_organization ON account_mails (organization_id);

CREATE INDEX CONCURRENTLY IF NOT EXISTS idx_event_free_runs_length
    ON event_free_runs (event_id, length, last_seat);

SET lock_timeout = '500ms';

CALL pg_temp.make_constraint('organizations', 'organizations_have_distinct_slugs');
CALL pg_temp.make_constraint('events', 'an_imported_event_stands_once');
CALL pg_temp.make_constraint('notifications', 'nobody_is_told_the_same_thing_twice');
CALL pg_temp.make_constraint('bookings', 'a_booking_has_one_event');
CALL pg_temp.make_constraint('bookings', 'a_form_books_once');

-- A seat belongs to a booking of the same event: one key over both replaces the one over the booking.
DO $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM pg_constraint
        WHERE conrelid = 'booking_seats'::regclass AND conname = 'a_seat_belongs_to_a_booking_of_its_event'
    ) THEN
        CALL pg_temp.lock_tables(ARRAY['bookings', 'booking_seats'], 'ACCESS EXCLUSIVE');
        ALTER TABLE booking_seats ADD CONSTRAINT a_seat_belongs_to_a_booking_of_its_event
            FOREIGN KEY (booking_id, event_id) REFERENCES bookings (id, event_id) ON DELETE CASCADE NOT VALID;
    END IF;
END
$$;
DO $$
BEGIN
    IF EXISTS (
        SELECT FROM pg_constraint
        WHERE conrelid = 'booking_seats'::regclass AND conname = 'booking_seats_booking_id_fkey'
    ) THEN
        CALL pg_temp.lock_tables(ARRAY['bookings', 'booking_seats'], 'ACCESS EXCLUSIVE');
        ALTER TABLE booking_seats DROP CONSTRAINT booking_seats_booking_id_fkey;
    END IF;
END
$$;

-- Functions and triggers ----------------------------------------------------------------------------------

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
CREATE OR REPLACE TRIGGER keycloak_groups_updated_at BEFORE UPDATE ON keycloak_groups
    FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();

-- Tenants -----------------------------------------------------------------------------------------------

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

BEGIN;
DROP TRIGGER IF EXISTS an_organization_keeps_an_administrator ON organization_users;
CREATE CONSTRAINT TRIGGER an_organization_keeps_an_administrator AFTER UPDATE OR DELETE ON organization_users
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.role = 'orgAdmin' AND OLD.status = 'active')
    EXECUTE FUNCTION keep_an_administrator();
COMMIT;

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

-- So few rows are never analyzed by the usual thresholds, and without figures the planner joins the list of
-- events the wrong way round.
ALTER TABLE organizations SET (autovacuum_analyze_threshold = 1, autovacuum_analyze_scale_factor = 0);

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
CREATE OR REPLACE TRIGGER events_updated_at BEFORE UPDATE ON events
    FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();

CREATE OR REPLACE TRIGGER notifications_updated_at BEFORE UPDATE ON notifications
    FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();

-- The pending index lives by quick cleaning: a poll must not wade through what was sent long ago.
ALTER TABLE notifications SET (
    autovacuum_vacuum_scale_factor = 0.01,
    autovacuum_vacuum_threshold = 200,
    fillfactor = 70  -- leasing a row changes no indexed column: with room on the page it touches no index
);

-- From here on triggers count, and what a program writes into the counter itself is passed over: both at once,
-- or a seat would be counted twice or not at all. So the three tables are locked for the moment that it takes
-- to make the triggers. What stood before is counted afterwards, event by event, at the end of this file.
BEGIN;
CALL pg_temp.lock_tables(ARRAY['bookings', 'booking_seats', 'events'], 'SHARE ROW EXCLUSIVE');

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

-- The one way out of the table: at most so many rows that were delivered and read, none of the last thirteen
-- months; returns how many went. Whoever may call it need not be allowed to delete from the table.
CREATE OR REPLACE FUNCTION forget_notifications(before timestamptz, most integer) RETURNS integer
    LANGUAGE sql
    SECURITY DEFINER
    SET search_path = public, pg_temp
AS $$
WITH gone AS (
    DELETE FROM notifications WHERE id IN (
        SELECT id FROM notifications
        WHERE status = 'delivered' AND read_at IS NOT NULL
            AND delivered_at < least(before, statement_timestamp() - interval '13 months')
        ORDER BY delivered_at LIMIT most FOR UPDATE SKIP LOCKED
    ) RETURNING 1
)
SELECT count(*)::integer FROM gone
$$;

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
CREATE OR REPLACE TRIGGER account_mails_updated_at BEFORE UPDATE ON account_mails
    FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();
CREATE OR REPLACE TRIGGER notification_preferences_updated_at BEFORE UPDATE ON notification_preferences
    FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();
CREATE OR REPLACE TRIGGER job_runs_updated_at BEFORE UPDATE ON job_runs
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
COMMIT;

-- What stood before the triggers did ------------------------------------------------------------------------

-- Counted under the lock of each event, which the triggers take too: what commits before is counted, what
-- commits later is added.
CALL pg_temp.in_pages($$
    SELECT id FROM events
    WHERE id > $1 AND (
        available_slots <> get_event_available_slots(id)
        OR is_bookable <> (available_slots > 0 AND status IN ('upcoming', 'ongoing'))
    )
    ORDER BY id LIMIT $2
$$, ARRAY[$$
    SELECT FROM events WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE
$$, $$
    SELECT recount_event_available_slots(id) FROM unnest($1) AS id
$$], most => 50);
CALL pg_temp.in_pages($$
    SELECT id FROM events
    WHERE id > $1 AND last_waiting_number < (
        SELECT max(waiting_number) FROM bookings WHERE event_id = events.id AND status = 'waiting'
    )
    ORDER BY id LIMIT $2
$$, ARRAY[$$
    SELECT FROM events WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE
$$, $$
    UPDATE events SET last_waiting_number = greatest(last_waiting_number, (
        SELECT max(waiting_number) FROM bookings WHERE event_id = events.id AND status = 'waiting'
    ))
    WHERE id = ANY ($1)
$$], most => 50);

DROP TRIGGER IF EXISTS event_totals_are_derived ON event_totals;
CALL pg_temp.in_pages($$
        SELECT id FROM events LEFT JOIN event_totals AS totals ON totals.event_id = id
        CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE status = 'confirmed') AS confirmed,
               count(*) FILTER (WHERE status = 'waiting') AS waiting,
               count(*) FILTER (WHERE status = 'cancelled') AS cancelled,
               coalesce(sum(seats) FILTER (WHERE status = 'waiting'), 0) AS seats
        FROM bookings WHERE event_id = events.id
    ) AS fact
        WHERE id > $1 AND (
            coalesce(totals.confirmed_bookings, 0), coalesce(totals.waiting_bookings, 0),
            coalesce(totals.cancelled_bookings, 0), coalesce(totals.waiting_seats, 0)
        ) <> (fact.confirmed, fact.waiting, fact.cancelled, fact.seats)
        ORDER BY id LIMIT $2
$$, ARRAY[$$
    SELECT FROM events WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE
$$, $$
        INSERT INTO event_totals (
            event_id, confirmed_bookings, waiting_bookings, cancelled_bookings, waiting_seats
        )
        SELECT events.id, fact.* FROM events CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE status = 'confirmed') AS confirmed,
               count(*) FILTER (WHERE status = 'waiting') AS waiting,
               count(*) FILTER (WHERE status = 'cancelled') AS cancelled,
               coalesce(sum(seats) FILTER (WHERE status = 'waiting'), 0) AS seats
        FROM bookings WHERE event_id = events.id
    ) AS fact
        WHERE events.id = ANY ($1)
        ON CONFLICT (event_id) DO UPDATE SET
            confirmed_bookings = excluded.confirmed_bookings, waiting_bookings = excluded.waiting_bookings,
            cancelled_bookings = excluded.cancelled_bookings, waiting_seats = excluded.waiting_seats
$$], most => 50);
CREATE TRIGGER event_totals_are_derived BEFORE INSERT OR UPDATE OR DELETE ON event_totals
    FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION ignore_direct_write();

CREATE OR REPLACE TRIGGER booking_history_is_append_only BEFORE UPDATE OR DELETE ON booking_history
    FOR EACH ROW EXECUTE FUNCTION keep_booking_history();

-- Old rows against the rules ------------------------------------------------------------------------------

-- One after the other and beside the writers. A rule that old rows break stays as it is, for new rows only.
DO $$
DECLARE
    rule record;
BEGIN
    FOR rule IN
        SELECT conrelid::regclass AS relation, conname AS name FROM pg_constraint
        WHERE NOT convalidated AND conrelid IN (
            'organizations'::regclass, 'users'::regclass, 'organization_users'::regclass,
            'organization_invites'::regclass, 'events'::regclass, 'bookings'::regclass,
            'booking_seats'::regclass, 'booking_history'::regclass, 'notifications'::regclass,
            'event_jobs'::regclass
        )
        ORDER BY 1, 2
    LOOP
        BEGIN
            EXECUTE format('ALTER TABLE %s VALIDATE CONSTRAINT %I', rule.relation, rule.name);
        EXCEPTION WHEN check_violation OR foreign_key_violation THEN
            RAISE WARNING '% has rows that break %; put them right and run this again.',
                rule.relation, rule.name;
        END;
        COMMIT;
    END LOOP;
END
$$;

DROP PROCEDURE pg_temp.lock_tables(text[], text);
DROP PROCEDURE pg_temp.in_pages(text, text[], integer);
DROP PROCEDURE pg_temp.rule(regclass, name, text, text);
DROP PROCEDURE pg_temp.make_constraint(regclass, name);
RESET lock_timeout;
RESET search_path;
RESET client_min_messages;
