-- An original database with :bookings bookings, as a year of the original program leaves it, with some dirt.

SET session_replication_role = replica;  -- nobody's parents are looked up: they are there

INSERT INTO organizations (name) SELECT 'Organization ' || n FROM generate_series(1, 200) AS n;
INSERT INTO users (email, name, phone)
SELECT 'person-' || n || '@example.test', 'Person ' || n,
       CASE WHEN n % 200 = 0 THEN 'call me' WHEN n % 100 = 0 THEN '0049 30 ' || n END
FROM generate_series(1, :bookings / 10) AS n;

CREATE TEMP TABLE an_org AS SELECT id, row_number() OVER () AS no FROM organizations;
CREATE TEMP TABLE a_user AS SELECT id, row_number() OVER () AS no FROM users;
CREATE UNIQUE INDEX ON a_user (no);

INSERT INTO events (org_id, title, category, event_date, total_slots, available_slots)
SELECT an_org.id, 'Evening ' || n, 'concert', now() + n * interval '1 hour', 20000,
       CASE WHEN n % 50 = 0 THEN -n ELSE 20000 - 85 END
FROM generate_series(1, :bookings / 100) AS n JOIN an_org ON an_org.no = 1 + n % 200;
CREATE TEMP TABLE an_event AS SELECT id, row_number() OVER () AS no FROM events;
CREATE UNIQUE INDEX ON an_event (no);
ANALYZE a_user, an_event, an_org;

-- Of each event's hundred 85 are confirmed, 5 wait, 10 are cancelled.
CREATE TEMP TABLE a_booking AS
SELECT gen_random_uuid() AS id, an_event.id AS event_id, a_user.id AS user_id, n % 100 AS place
FROM generate_series(1, :bookings) AS n
JOIN an_event ON an_event.no = 1 + n / 100 % (:bookings / 100) JOIN a_user ON a_user.no = 1 + n::bigint * 7919 % (:bookings / 10);

INSERT INTO bookings (id, event_id, user_id, seats, status, waiting_number, created_at)
SELECT id, event_id, user_id, 1,
       CASE WHEN place < 85 THEN 'confirmed' WHEN place < 90 THEN 'waiting' ELSE 'cancelled' END,
       CASE WHEN place BETWEEN 85 AND 89 THEN place - 84 WHEN place = 0 AND random() < 0.2 THEN 1 END,
       now() - random() * interval '300 days'
FROM a_booking;
INSERT INTO booking_seats (booking_id, event_id, seat_no)
SELECT id, event_id, place + 1 FROM a_booking WHERE place < 85;
INSERT INTO booking_history (booking_id, action, created_at) SELECT id, 'created', now() FROM a_booking;
INSERT INTO notifications (user_id, type, status)
SELECT user_id, 'booking_confirmed', CASE WHEN place = 1 THEN 'failed' ELSE 'sent' END FROM a_booking;
