-- On top of the full house: one organization with most of everything, a hundred thousand bookings in all, and a
-- small one whose few bookings are among the oldest. For the tests of the admin's lists.

SET LOCAL session_replication_role = replica;  -- no trigger is asked for each of so many rows

INSERT INTO organizations (name, slug) VALUES ('Large', 'large'), ('Small', 'small');
INSERT INTO events (org_id, title, category, event_date, total_slots, published_at)
SELECT organizations.id, organizations.name || ' evening ' || n, 'concert',
       now() + n * interval '1 hour', 1000, now()
FROM organizations, generate_series(1, 400) AS n
WHERE slug = 'large' OR (slug = 'small' AND n <= 5);

CREATE TEMP TABLE its_event ON COMMIT DROP AS
SELECT events.id, slug, events.org_id, row_number() OVER (PARTITION BY slug ORDER BY event_date) AS no
FROM events JOIN organizations ON organizations.id = org_id WHERE slug IN ('large', 'small');

-- Keys made by the application rise with time; these do, too, the small organization's first.
CREATE TEMP TABLE it ON COMMIT DROP AS
SELECT overlay(md5('booking' || n)::text PLACING lpad(to_hex(n), 8, '0') FROM 1 FOR 8)::uuid AS id, n,
       CASE WHEN n <= 200 THEN 'small' ELSE 'large' END AS slug,
       CASE WHEN n <= 200 THEN 1 + n % 5 ELSE 1 + n % 400 END AS event_no
FROM generate_series(1, 95000) AS n;

INSERT INTO bookings (id, event_id, user_id, seats, status, waiting_number, created_at)
SELECT it.id, its_event.id, a_user.id, 1,
       CASE WHEN n % 50 = 0 THEN 'waiting' WHEN n % 7 = 0 THEN 'cancelled' ELSE 'confirmed' END,
       CASE WHEN n % 50 = 0 THEN n END, now() - interval '60 days' + n * interval '1 minute'
FROM it JOIN its_event ON its_event.slug = it.slug AND its_event.no = event_no
JOIN a_user ON a_user.no = 1 + (n * 7) % 3000;

INSERT INTO booking_seats (id, booking_id, event_id, seat_no)
SELECT it.id, it.id, bookings.event_id, row_number() OVER (PARTITION BY bookings.event_id ORDER BY n)
FROM it JOIN bookings ON bookings.id = it.id WHERE bookings.status = 'confirmed';

INSERT INTO booking_history (id, booking_id, action, event_id, org_id, user_id, details, created_at)
SELECT it.id, it.id, CASE WHEN n % 90 = 0 THEN 'promoted' ELSE 'created' END, bookings.event_id,
       its_event.org_id, bookings.user_id, '{}', bookings.created_at
FROM it JOIN bookings ON bookings.id = it.id JOIN its_event ON its_event.id = bookings.event_id;

INSERT INTO notifications (
    id, user_id, type, status, sent_at, delivered_at, dedupe_key, event_id, booking_id, org_id, created_at
)
SELECT it.id, bookings.user_id, CASE WHEN n % 90 = 0 THEN 'waitlist_promoted' ELSE 'booking_confirmed' END,
       'delivered', now(), now(), 'large:' || n, bookings.event_id, it.id, its_event.org_id, bookings.created_at
FROM it JOIN bookings ON bookings.id = it.id JOIN its_event ON its_event.id = bookings.event_id;

ANALYZE organizations, events, bookings, booking_seats, booking_history, notifications, event_totals;
