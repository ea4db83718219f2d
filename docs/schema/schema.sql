-- Happening: the original schema. Nine tables, their keys, roles and states.
--
--     createdb happening
--     psql -d happening -f schema.sql
--
-- schema_improved.sql turns a database made by this file, with all that is in it, into today's schema.

\set ON_ERROR_STOP on
BEGIN;

CREATE TABLE organizations (
    id uuid DEFAULT gen_random_uuid() NOT NULL PRIMARY KEY,
    created_at timestamptz DEFAULT statement_timestamp() NOT NULL,
    updated_at timestamptz DEFAULT statement_timestamp() NOT NULL,
    name varchar(200) NOT NULL,
    domain varchar(253),
    settings jsonb DEFAULT '{}'::jsonb NOT NULL,
    status varchar(20) DEFAULT 'active' NOT NULL,
    CONSTRAINT organization_status_is_known CHECK (status IN ('active', 'suspended', 'closed')),
    CONSTRAINT organizations_have_distinct_domains UNIQUE (domain)
);
COMMENT ON TABLE organizations IS 'Tenants. They own events and memberships; events.org_id and organization_users.organization_id lead here.';

CREATE TABLE users (
    id uuid DEFAULT gen_random_uuid() NOT NULL PRIMARY KEY,
    created_at timestamptz DEFAULT statement_timestamp() NOT NULL,
    updated_at timestamptz DEFAULT statement_timestamp() NOT NULL,
    keycloak_id varchar(255),
    email varchar(254),
    name varchar(200),
    phone varchar(16),
    status varchar(20) DEFAULT 'active' NOT NULL,
    profile jsonb DEFAULT '{}'::jsonb NOT NULL,
    CONSTRAINT user_status_is_known CHECK (status IN ('active', 'suspended', 'erased')),
    CONSTRAINT users_have_distinct_keycloak_ids UNIQUE (keycloak_id)
);
COMMENT ON TABLE users IS 'People, mirrored from Keycloak where they sign in by it, so that bookings, memberships, invites and notifications can name them.';

CREATE TABLE organization_users (
    id uuid DEFAULT gen_random_uuid() NOT NULL PRIMARY KEY,
    created_at timestamptz DEFAULT statement_timestamp() NOT NULL,
    updated_at timestamptz DEFAULT statement_timestamp() NOT NULL,
    role varchar(20) DEFAULT 'user' NOT NULL,
    permissions jsonb DEFAULT '{}'::jsonb NOT NULL,
    status varchar(20) DEFAULT 'active' NOT NULL,
    user_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    CONSTRAINT membership_role_is_known CHECK (role IN ('orgAdmin', 'organizer', 'user')),
    CONSTRAINT membership_status_is_known CHECK (status IN ('active', 'suspended')),
    CONSTRAINT one_membership_per_person_and_organization UNIQUE (organization_id, user_id),
    CONSTRAINT organization_users_organization_id_fkey
        FOREIGN KEY (organization_id) REFERENCES organizations (id) ON DELETE CASCADE,
    CONSTRAINT organization_users_user_id_fkey
        FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);
COMMENT ON TABLE organization_users IS 'Who belongs to which organization, in what role, and since when.';

CREATE TABLE organization_invites (
    id uuid DEFAULT gen_random_uuid() NOT NULL PRIMARY KEY,
    created_at timestamptz DEFAULT statement_timestamp() NOT NULL,
    updated_at timestamptz DEFAULT statement_timestamp() NOT NULL,
    email varchar(254) NOT NULL,
    role varchar(20) NOT NULL,
    token varchar(64) NOT NULL,
    expires_at timestamptz NOT NULL,
    status varchar(20) DEFAULT 'pending' NOT NULL,
    invited_by uuid,
    organization_id uuid NOT NULL,
    CONSTRAINT invite_role_is_known CHECK (role IN ('orgAdmin', 'organizer', 'user')),
    CONSTRAINT invite_status_is_known CHECK (status IN ('pending', 'accepted', 'expired', 'revoked')),
    CONSTRAINT invites_have_distinct_tokens UNIQUE (token),
    CONSTRAINT organization_invites_organization_id_fkey
        FOREIGN KEY (organization_id) REFERENCES organizations (id) ON DELETE CASCADE,
    CONSTRAINT organization_invites_invited_by_fkey
        FOREIGN KEY (invited_by) REFERENCES users (id) ON DELETE SET NULL
);
COMMENT ON TABLE organization_invites IS 'Invitations to an organization in a role: a hashed token, an end, a state.';

CREATE TABLE events (
    id uuid DEFAULT gen_random_uuid() NOT NULL PRIMARY KEY,
    created_at timestamptz DEFAULT statement_timestamp() NOT NULL,
    updated_at timestamptz DEFAULT statement_timestamp() NOT NULL,
    title varchar(200) NOT NULL,
    description text DEFAULT '' NOT NULL,
    category varchar(20) NOT NULL,
    event_date timestamptz NOT NULL,
    ends_at timestamptz,
    time_zone varchar(64) DEFAULT 'UTC' NOT NULL,
    total_slots integer NOT NULL,
    available_slots integer DEFAULT 0 NOT NULL,
    status varchar(20) DEFAULT 'upcoming' NOT NULL,
    org_id uuid,
    CONSTRAINT event_category_is_known CHECK (category IN ('webinar', 'concert', 'hackathon')),
    CONSTRAINT event_status_is_known CHECK (status IN ('upcoming', 'ongoing', 'completed', 'cancelled')),
    CONSTRAINT events_org_id_fkey FOREIGN KEY (org_id) REFERENCES organizations (id) ON DELETE SET NULL
);
COMMENT ON TABLE events IS 'What can be booked: when, where, how many seats, how many are left. Redis mirrors the count under event:<id>:slots.';

CREATE TABLE bookings (
    id uuid DEFAULT gen_random_uuid() NOT NULL PRIMARY KEY,
    created_at timestamptz DEFAULT statement_timestamp() NOT NULL,
    updated_at timestamptz DEFAULT statement_timestamp() NOT NULL,
    seats smallint NOT NULL,
    status varchar(20) NOT NULL,
    waiting_number integer,
    event_id uuid NOT NULL,
    user_id uuid NOT NULL,
    CONSTRAINT booking_status_is_known CHECK (status IN ('confirmed', 'waiting', 'cancelled')),
    CONSTRAINT bookings_event_id_fkey FOREIGN KEY (event_id) REFERENCES events (id) ON DELETE CASCADE,
    CONSTRAINT bookings_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id)
);
COMMENT ON TABLE bookings IS 'A person''s request for seats of an event: confirmed, waiting under a number, or cancelled.';

CREATE TABLE booking_seats (
    id uuid DEFAULT gen_random_uuid() NOT NULL PRIMARY KEY,
    created_at timestamptz DEFAULT statement_timestamp() NOT NULL,
    updated_at timestamptz DEFAULT statement_timestamp() NOT NULL,
    seat_no integer NOT NULL,
    status varchar(20) DEFAULT 'booked' NOT NULL,
    booking_id uuid NOT NULL,
    event_id uuid NOT NULL,
    CONSTRAINT booking_seat_status_is_known CHECK (status IN ('booked', 'cancelled')),
    CONSTRAINT booking_seats_booking_id_fkey
        FOREIGN KEY (booking_id) REFERENCES bookings (id) ON DELETE CASCADE,
    CONSTRAINT booking_seats_event_id_fkey FOREIGN KEY (event_id) REFERENCES events (id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX idx_booking_seats_unique ON booking_seats (event_id, seat_no) WHERE status = 'booked';
COMMENT ON TABLE booking_seats IS 'Which seats a booking holds or held; a seat of an event is booked at most once.';

CREATE TABLE booking_history (
    id uuid DEFAULT gen_random_uuid() NOT NULL PRIMARY KEY,
    booking_id uuid NOT NULL,
    action varchar(20) NOT NULL,
    details jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamptz DEFAULT statement_timestamp() NOT NULL,
    CONSTRAINT booking_history_action_is_known CHECK (action IN ('created', 'cancelled', 'promoted'))
);
COMMENT ON TABLE booking_history IS 'Append-only: what was done to each booking, for people, analysis and compliance.';

CREATE TABLE notifications (
    id uuid DEFAULT gen_random_uuid() NOT NULL PRIMARY KEY,
    created_at timestamptz DEFAULT statement_timestamp() NOT NULL,
    updated_at timestamptz DEFAULT statement_timestamp() NOT NULL,
    type varchar(40) NOT NULL,
    status varchar(20) DEFAULT 'pending' NOT NULL,
    payload jsonb DEFAULT '{}'::jsonb NOT NULL,
    user_id uuid NOT NULL,
    CONSTRAINT notification_type_is_known CHECK (type IN (
        'booking_confirmed', 'booking_waitlisted', 'booking_cancelled', 'waitlist_promoted', 'event_updated'
    )),
    CONSTRAINT notification_status_is_known CHECK (status IN ('pending', 'sent', 'failed')),
    CONSTRAINT notifications_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);
COMMENT ON TABLE notifications IS 'The outbox: one row for each thing a person is to be told, written with the change it tells of and kept until it is delivered or has failed; the person''s inbox too.';

COMMIT;
