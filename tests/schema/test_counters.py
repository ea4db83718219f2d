"""`available_slots`: kept by triggers, whatever the statement, and by nobody else."""

import pytest

from events.models import Event
from tests.factories import EventFactory
from tests.schema.refusals import refused


@pytest.fixture
def event(rows):
    return rows.add("events", total_slots=100)


@pytest.fixture
def left(rows, event):
    return lambda of=event: rows.value("SELECT available_slots FROM events WHERE id = %s", of)


class TestTheSeatsLeft:
    def test_begin_with_all_of_them(self, rows):
        event = rows.add("events", total_slots=7, available_slots=3)
        assert rows.row("SELECT available_slots, is_bookable FROM events WHERE id = %s", event) == (7, True)

    def test_follow_a_seat_that_is_booked_given_back_and_booked_again(self, rows, event, left):
        rows.book(event, 1, 2, 3)
        assert left() == 97
        rows.do("UPDATE booking_seats SET status = 'cancelled' WHERE seat_no < 3")
        assert left() == 99
        rows.do("UPDATE booking_seats SET status = 'booked'")
        assert left() == 97

    def test_follow_seats_that_are_deleted(self, rows, event, left):
        rows.book(event, 1, 2, 3)
        rows.do("DELETE FROM booking_seats WHERE seat_no = 2")
        assert left() == 98

    def test_follow_a_booking_that_is_deleted(self, rows, event, left):
        rows.do("DELETE FROM bookings WHERE id = %s", rows.book(event, 1, 2, 3))
        assert left() == 100

    def test_do_not_count_a_seat_that_is_added_or_deleted_cancelled(self, rows, event, left):
        booking = rows.add("bookings", event_id=event)
        rows.add("booking_seats", booking_id=booking, status="cancelled")
        assert left() == 100
        rows.do("DELETE FROM booking_seats")
        assert left() == 100

    def test_follow_a_seat_that_goes_to_another_event_with_its_booking(self, rows, event, left):
        booking = rows.book(event, 1)
        other = rows.add("events", total_slots=5)
        rows.do("ALTER TABLE booking_seats DROP CONSTRAINT a_seat_belongs_to_a_booking_of_its_event")
        rows.do("UPDATE booking_seats SET event_id = %s WHERE booking_id = %s", other, booking)
        assert (left(), left(other)) == (100, 4)

    def test_follow_many_events_in_one_statement(self, rows, left):
        events = [rows.add("events") for _ in range(3)]
        bookings = [rows.add("bookings", event_id=event) for event in events]
        rows.do(
            "INSERT INTO booking_seats (booking_id, event_id, seat_no)"
            " SELECT id, event_id, seat_no FROM bookings, generate_series(1, 4) AS seat_no"
        )
        assert [left(event) for event in events] == [6, 6, 6]
        rows.do("DELETE FROM booking_seats WHERE booking_id = ANY(%s)", bookings[:2])
        assert [left(event) for event in events] == [10, 10, 6]

    def test_follow_copy(self, rows, event, left):
        booking = rows.add("bookings", event_id=event, seats=50)
        with rows.cursor.copy("COPY booking_seats (booking_id, event_id, seat_no) FROM STDIN") as copy:
            for seat_no in range(1, 51):
                copy.write_row((booking, event, seat_no))
        assert left() == 50

    def test_are_counted_anew_when_seats_are_truncated(self, rows, event, left):
        rows.book(event, 1, 2, 3)
        rows.do("TRUNCATE booking_seats")
        assert left() == 100

    def test_are_counted_anew_when_bookings_are_truncated(self, rows, event, left):
        rows.book(event, 1, 2, 3)
        rows.do("TRUNCATE bookings CASCADE")
        assert left() == 100

    def test_follow_the_capacity(self, rows, event, left):
        rows.book(event, 1, 2, 3)
        rows.do("UPDATE events SET total_slots = 120 WHERE id = %s", event)
        assert left() == 117
        rows.do("UPDATE events SET total_slots = 3 WHERE id = %s", event)
        assert left() == 0

    def test_never_fall_below_none(self, rows):
        event = rows.add("events", total_slots=2)
        rows.book(event, 1, 2)
        booking = rows.add("bookings", event_id=event)
        with refused("idx_booking_seats_unique"):
            rows.add("booking_seats", booking_id=booking, seat_no=2)

    def test_are_none_and_not_bookable_when_the_last_is_booked(self, rows):
        event = rows.add("events", total_slots=2)
        seen = "SELECT available_slots, is_bookable FROM events WHERE id = %s"
        rows.book(event, 1, 2)
        assert rows.row(seen, event) == (0, False)
        rows.do("UPDATE booking_seats SET status = 'cancelled' WHERE seat_no = 1")
        assert rows.row(seen, event) == (1, True)
        rows.do("UPDATE events SET status = 'cancelled' WHERE id = %s", event)
        rows.do("UPDATE booking_seats SET status = 'cancelled'")
        assert rows.row(seen, event) == (2, False)

    def test_count_the_event_s_version_once_a_statement(self, rows, event):
        booking = rows.add("bookings", event_id=event)
        version = "SELECT version FROM events WHERE id = %s"
        before = rows.value(version, event)
        rows.do(
            "INSERT INTO booking_seats (booking_id, event_id, seat_no) SELECT %s, %s, generate_series(1, 9)",
            booking,
            event,
        )
        assert rows.value(version, event) == before + 1


class TestAnEventWrittenByHand:
    @pytest.fixture
    def stale(self, rows):
        """An event as it was loaded before two of its seats were booked."""
        event = EventFactory()
        rows.book(event.pk, 1, 2)
        return event

    def test_keeps_its_counters_when_a_stale_copy_is_saved(self, stale):
        stale.title = "Renamed"
        stale.save()
        now = Event.objects.get(pk=stale.pk)
        assert (now.title, now.available_slots) == ("Renamed", 8)

    def test_keeps_its_counters_when_a_stale_copy_names_them(self, stale):
        stale.save(update_fields=["available_slots", "is_bookable", "version"])
        now = Event.objects.get(pk=stale.pk)
        assert (now.available_slots, now.is_bookable) == (8, True)
        assert now.version > stale.version

    def test_passes_over_an_update_of_its_counters(self, stale):
        Event.objects.filter(pk=stale.pk).update(available_slots=3, is_bookable=False)
        now = Event.objects.get(pk=stale.pk)
        assert (now.available_slots, now.is_bookable) == (8, True)

    def test_begins_with_all_its_seats_in_a_bulk_create(self, rows):
        made = Event.objects.bulk_create(
            [EventFactory.build(org=None, total_slots=seats, available_slots=99) for seats in (3, 4)]
        )
        assert [Event.objects.get(pk=event.pk).available_slots for event in made] == [3, 4]


class TestWhatOthersRead:
    def test_get_event_available_slots_counts_the_seats_themselves(self, rows, event):
        rows.book(event, 1, 2, 3)
        assert rows.value("SELECT get_event_available_slots(%s)", event) == 97
        assert rows.value("SELECT get_event_available_slots(gen_random_uuid())") is None

    def test_event_booking_summary_has_the_event_s_numbers(self, rows, event):
        org = rows.add("organizations")
        rows.do("UPDATE events SET org_id = %s WHERE id = %s", org, event)
        rows.book(event, 1, 2, 3)
        rows.add("bookings", event_id=event, status="waiting", waiting_number=1, seats=5)
        rows.add("bookings", event_id=event, status="cancelled")
        numbers = rows.row(
            "SELECT org_id, total_slots, available_slots, booked_seats, confirmed_bookings,"
            " waiting_bookings, cancelled_bookings, waiting_seats"
            " FROM event_booking_summary WHERE event_id = %s",
            event,
        )
        assert numbers == (org, 100, 97, 3, 1, 1, 1, 5)

    def test_event_booking_summary_has_events_without_bookings(self, rows, event):
        numbers = rows.row(
            "SELECT booked_seats, confirmed_bookings, waiting_seats FROM event_booking_summary"
        )
        assert numbers == (0, 0, 0)

    def test_user_booking_summary_has_the_person_s_numbers(self, rows, event):
        user = rows.add("users")
        rows.book(event, 1, 2, 3, user_id=user)
        rows.book(rows.add("events"), 1, user_id=user)
        rows.add("bookings", user_id=user, status="waiting", waiting_number=1, seats=5)
        rows.add("bookings", user_id=user, status="cancelled")
        rows.book(event, 9)
        numbers = rows.row("SELECT * FROM user_booking_summary WHERE user_id = %s", user)
        assert numbers == (user, 2, 1, 1, 4, 5)


class TestTheHotRow:
    def test_stays_on_its_page_when_a_seat_is_booked(self, rows, event):
        booking = rows.add("bookings", event_id=event, seats=3)
        updates = (
            "SELECT pg_stat_get_xact_tuples_updated('events'::regclass),"
            " pg_stat_get_xact_tuples_hot_updated('events'::regclass)"
        )
        before, before_hot = rows.row(updates)
        for seat_no in (1, 2, 3):
            rows.add("booking_seats", booking_id=booking, event_id=event, seat_no=seat_no)
        after, after_hot = rows.row(updates)
        assert (after - before, after_hot - before_hot) == (3, 3)

    def test_has_no_index_that_a_booking_would_have_to_follow(self, rows):
        changed_by_bookings = r"\m(available_slots|updated_at|version|last_waiting_number)\M"
        followed = rows.column(
            "SELECT indexrelid::regclass::text FROM pg_index"
            " WHERE indrelid = 'events'::regclass AND pg_get_indexdef(indexrelid) ~ %s",
            changed_by_bookings,
        )
        assert followed == []

    def test_has_room_for_its_next_version(self, rows):
        options = rows.value("SELECT reloptions FROM pg_class WHERE oid = 'events'::regclass")
        assert "fillfactor=70" in options


class TestUpdatedAt:
    TABLES = [
        "organizations",
        "users",
        "organization_users",
        "organization_invites",
        "events",
        "bookings",
        "booking_seats",
        "notifications",
        "event_jobs",
        "notification_preferences",
        "account_mails",
        "keycloak_groups",
        "job_runs",
    ]

    @pytest.mark.parametrize("table", TABLES)
    def test_is_the_moment_of_the_last_change(self, rows, table):
        row = rows.add(table, created_at="2020-01-01", updated_at="2020-01-01")
        changed = "SELECT updated_at > '2021-01-01' FROM " + table + " WHERE id = %s"
        assert rows.value(changed, row) is False
        rows.do(f"UPDATE {table} SET updated_at = '2020-01-01' WHERE id = %s", row)
        assert rows.value(changed, row) is True

    def test_is_kept_wherever_it_stands(self, rows):
        tables = rows.column(
            "SELECT table_name FROM information_schema.columns JOIN pg_class ON relname = table_name"
            " WHERE column_name = 'updated_at' AND table_schema = 'public' AND relkind = 'r'"
        )
        assert sorted(tables) == sorted(self.TABLES)

    def test_is_never_before_the_row_was_made(self, rows):
        event = rows.add("events")
        rows.do("UPDATE events SET title = 'Changed' WHERE id = %s", event)
        assert rows.value("SELECT updated_at >= created_at FROM events WHERE id = %s", event)
