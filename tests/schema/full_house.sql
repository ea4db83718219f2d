-- Some thousand rows of everything, distributed as in a busy week, for the tests of plans.

INSERT INTO organizations (name, slug, domain)
SELECT 'Organization ' || n, 'org-' || n, 'org-' || n || '.example.test' FROM generate_series(1, 2000) AS n;

INSERT INTO users (email, name)
SELECT 'person-' || n || '@example.test', 'Person ' || n FROM generate_series(1, 3000) AS n;

CREATE TEMP TABLE an_org ON COMMIT DROP AS SELECT id, row_number() OVER () AS no FROM organizations;
CREATE TEMP TABLE a_user ON COMMIT DROP AS SELECT id, row_number() OVER () AS no FROM users;

INSERT INTO organization_users (organization_id, user_id, status)
SELECT an_org.id, a_user.id, CASE WHEN a_user.no % 10 = 0 THEN 'suspended' ELSE 'active' END
FROM a_user JOIN an_org ON an_org.no = 1 + a_user.no % 200;

INSERT INTO organization_invites (organization_id, email, role, token, expires_at, status, invited_by)
SELECT an_org.id, 'guest-' || a_user.no || '@example.test', 'user', md5(a_user.no::text),
       now() + a_user.no * interval '1 minute',
       CASE WHEN a_user.no % 20 = 0 THEN 'pending' ELSE 'accepted' END, a_user.id
FROM a_user JOIN an_org ON an_org.no = 1 + a_user.no % 200;

INSERT INTO events (
    org_id, title, description, category, event_date, total_slots, status, published_at, visibility
)
SELECT an_org.id, 'Evening ' || n, 'Word' || n || ' and more',
       (ARRAY['concert', 'meetup', 'workshop'])[1 + n % 3],
       now() + (n - 2500) * interval '1 hour', 100,
       CASE WHEN n < 2480 THEN 'completed' ELSE 'upcoming' END,
       CASE WHEN n % 9 > 0 THEN now() END,
       CASE WHEN n % 11 = 0 THEN 'members' ELSE 'public' END
FROM generate_series(1, 5000) AS n JOIN an_org ON an_org.no = 1 + n % 200;

CREATE TEMP TABLE an_event ON COMMIT DROP AS
SELECT id, row_number() OVER (ORDER BY event_date) AS no FROM events;

INSERT INTO bookings (event_id, user_id, seats, status, waiting_number, idempotency_key, created_at)
SELECT an_event.id, a_user.id, 1 + n % 3,
       CASE WHEN n % 5 = 0 THEN 'waiting' WHEN n % 7 = 0 THEN 'cancelled' ELSE 'confirmed' END,
       CASE WHEN n % 5 = 0 THEN n END, gen_random_uuid(), now() - n * interval '1 minute'
FROM generate_series(1, 12000) AS n
JOIN an_event ON an_event.no = 2501 + (n / 5) % 40 JOIN a_user ON a_user.no = 1 + (n * 7) % 3000;

INSERT INTO booking_seats (booking_id, event_id, seat_no)
SELECT id, event_id, place FROM (
    SELECT id, event_id, row_number() OVER (PARTITION BY event_id ORDER BY id) AS place
    FROM bookings WHERE status = 'confirmed'
) AS booking WHERE place <= 90;

-- One house is large.
UPDATE events SET total_slots = 5000 WHERE id = (SELECT id FROM an_event WHERE no = 3000);
INSERT INTO bookings (event_id, user_id, seats, status)
SELECT an_event.id, a_user.id, 50, 'confirmed'
FROM an_event, a_user WHERE an_event.no = 3000 AND a_user.no <= 80;
INSERT INTO booking_seats (booking_id, event_id, seat_no)
SELECT id, event_id, row_number() OVER (ORDER BY id, place)
FROM bookings, generate_series(1, 50) AS place WHERE event_id = (SELECT id FROM an_event WHERE no = 3000);

INSERT INTO booking_history (booking_id, action, event_id, user_id, details, created_at)
SELECT id, 'created', event_id, user_id,
       CASE WHEN waiting_number % 50 = 0 THEN jsonb_build_object('stood_at', waiting_number) ELSE '{}' END,
       created_at
FROM bookings;

INSERT INTO notifications (
    user_id, type, status, sent_at, delivered_at, read_at, dedupe_key, event_id, booking_id, created_at
)
SELECT user_id, 'booking_confirmed',
       CASE WHEN no % 100 = 0 THEN 'pending' WHEN no % 50 = 1 THEN 'sent' ELSE 'delivered' END,
       CASE WHEN no % 100 > 0 THEN now() END,
       CASE WHEN no % 100 > 0 AND no % 50 <> 1 THEN now() END,
       CASE WHEN no % 4 > 0 THEN now() END,
       id::text, event_id, id, created_at
FROM (SELECT *, row_number() OVER () AS no FROM bookings) AS booking;

INSERT INTO event_free_runs (event_id, first_seat, last_seat)
SELECT id, 1 + 20 * n, 2 + 20 * n + n FROM an_event, generate_series(0, 4) AS n
WHERE no BETWEEN 2500 AND 3500;

INSERT INTO event_jobs (event_id, kind, due_at, finished_at)
SELECT id, 'tell_of_change', now(), CASE WHEN no % 50 > 0 THEN now() END FROM an_event;

ANALYZE organizations, users, organization_users, organization_invites, events, bookings, booking_seats,
    booking_history, notifications, event_totals, event_free_runs, event_jobs;
