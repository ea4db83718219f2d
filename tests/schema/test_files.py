"""`docs/schema/`: the two files make what the migrations make, and keep what stands already."""

import pytest

from tests.schema.rows import ORDINARY, Rows
from tests.schema.scratch import FILES, ORIGINAL

SCHEMA, IMPROVED = FILES / "schema.sql", FILES / "schema_improved.sql"


def schema_of(scratch) -> str:
    """Everything in a database but what Django keeps for itself."""
    return scratch.dump("--schema-only", "--exclude-table=django_migrations*")


@pytest.fixture(scope="module")
def original(beside):
    """A database made by schema.sql; to be copied, not written to."""
    scratch = beside()
    scratch.run_file(SCHEMA)
    return scratch


@pytest.fixture(scope="module")
def improved(beside, original):
    """A copy of it, improved; not to be written to."""
    scratch = beside(template=original)
    scratch.run_file(IMPROVED)
    return scratch


class TestSchemaSql:
    def test_makes_what_the_original_migrations_make(self, beside, original):
        by_migrations = beside()
        by_migrations.migrate(ORIGINAL)
        assert schema_of(original) == schema_of(by_migrations)

    def test_makes_the_nine_tables(self, original):
        with original.connect() as connection:
            tables = Rows(connection.cursor()).column(
                "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
            )
        assert sorted(tables) == [
            "booking_history",
            "booking_seats",
            "bookings",
            "events",
            "notifications",
            "organization_invites",
            "organization_users",
            "organizations",
            "users",
        ]


class TestSchemaImprovedSql:
    def test_makes_what_the_migrations_make(self, improved, migrated):
        assert schema_of(improved) == schema_of(migrated)

    def test_changes_nothing_when_it_is_run_again(self, beside, improved):
        before = schema_of(improved)
        again = beside(template=improved)
        for _ in range(2):
            assert again.run_file(IMPROVED) == ""
        assert schema_of(again) == before

    def test_changes_nothing_where_the_migrations_have_been(self, copy, migrated):
        assert copy.run_file(IMPROVED) == ""
        assert schema_of(copy) == schema_of(migrated)

    def test_leaves_no_rule_unchecked_and_no_index_invalid(self, improved):
        with improved.connect() as connection:
            rows = Rows(connection.cursor())
            assert rows.column("SELECT conname FROM pg_constraint WHERE NOT convalidated") == []
            assert rows.column("SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid") == []


@pytest.fixture(scope="module")
def used(beside, original):
    """What somebody finds who asks a database in use that has been improved: its rows, by SQL and by name."""
    scratch = beside(template=original)
    with scratch.connect() as connection:
        rows = Rows(connection.cursor())
        story = Story(scratch, rows)
        scratch.run_file(IMPROVED)
        yield story


class Story:
    """A database as the original application may have left it, with counters that are wrong."""

    def __init__(self, scratch, rows):
        self.scratch, self.rows = scratch, rows
        self.org = rows.add("organizations")
        self.event = rows.add("events", org_id=self.org, total_slots=10, available_slots=99)
        self.full = rows.add("events", total_slots=1)
        self.booking = rows.book(self.event, 1, 2, 3)
        rows.book(self.full, 1)
        rows.add("organization_users")
        rows.add("organization_invites")
        rows.add("booking_history", booking_id=self.booking)
        for status in ("pending", "sent", "failed"):
            rows.add("notifications", status=status, updated_at="2020-01-01")
        self.promoted = rows.add("bookings", event_id=self.event, seats=2, waiting_number=1)
        self.line = [
            self._wait(self.event, number, made)
            for number, made in [
                (2, "2020-01-01"),
                (3, "2020-01-02"),
                (3, "2020-01-03"),
                (None, "2019-01-01"),
            ]
        ]
        for number in (3, 7):
            self._wait(self.full, number, "2020-01-01")
        self.before = self.content()

    def content(self) -> dict[str, int]:
        return {
            table: self.rows.value(f"SELECT count(*) FROM {table}")
            for table in ORDINARY
            if self.rows.value("SELECT to_regclass(%s) IS NOT NULL", table)
        }

    def _wait(self, event, number, made):
        return self.rows.add(
            "bookings", event_id=event, status="waiting", waiting_number=number, created_at=made
        )


class TestSchemaImprovedSqlOnADatabaseInUse:
    def test_keeps_every_row(self, used):
        assert used.before.items() <= used.content().items()

    def test_counts_the_seats_that_are_left(self, used):
        left = "SELECT available_slots, is_bookable FROM events WHERE id = %s"
        assert used.rows.row(left, used.event) == (7, True)
        assert used.rows.row(left, used.full) == (0, False)

    def test_counts_the_bookings(self, used):
        totals = used.rows.row("SELECT * FROM event_totals WHERE event_id = %s", used.event)
        assert totals == (used.event, 2, 4, 0, 4)

    def test_puts_the_line_in_order_without_letting_anybody_pass(self, used):
        line = used.rows.column(
            "SELECT id FROM bookings WHERE event_id = %s AND status = 'waiting' ORDER BY waiting_number",
            used.event,
        )
        assert line == used.line
        assert used.rows.value("SELECT last_waiting_number FROM events WHERE id = %s", used.event) == 4

    def test_takes_the_number_of_whoever_waits_no_more(self, used):
        assert used.rows.value("SELECT waiting_number FROM bookings WHERE id = %s", used.promoted) is None

    def test_leaves_a_line_that_is_in_order_as_it_is(self, used):
        numbers = "SELECT waiting_number FROM bookings WHERE event_id = %s AND status = 'waiting' ORDER BY 1"
        assert used.rows.column(numbers, used.full) == [3, 7]
        assert used.rows.value("SELECT last_waiting_number FROM events WHERE id = %s", used.full) == 7

    def test_says_when_of_what_was_sent_and_what_failed(self, used):
        moments = used.rows.all(
            "SELECT status, sent_at::date::text, failed_at::date::text FROM notifications"
        )
        assert sorted(moments) == [
            ("failed", None, "2020-01-01"),
            ("pending", None, None),
            ("sent", "2020-01-01", None),
        ]

    def test_tells_the_history_whose_it_is(self, used):
        told = used.rows.row("SELECT event_id, org_id, user_id FROM booking_history")
        booked_by = used.rows.value("SELECT user_id FROM bookings WHERE id = %s", used.booking)
        assert told == (used.event, used.org, booked_by)

    def test_publishes_what_was_on_show_and_no_later_draft(self, used):
        draft = used.rows.add("events")
        used.scratch.run_file(IMPROVED)
        assert used.rows.column("SELECT id FROM events WHERE published_at IS NULL") == [draft]


class TestSchemaImprovedSqlInTrouble:
    @pytest.fixture
    def scratch(self, beside, original):
        return beside(template=original)

    @pytest.fixture
    def rows(self, scratch, connect):
        return Rows(connect(scratch).cursor())

    def test_warns_of_rows_that_break_a_rule_and_keeps_it_for_new_ones(self, scratch, rows):
        culprit = rows.add("users", phone="call me")
        said = scratch.run_file(IMPROVED)
        assert "WARNING:  users has rows that break user_phone_is_e164" in said
        unchecked = "SELECT conname FROM pg_constraint WHERE NOT convalidated"
        assert rows.column(unchecked) == ["user_phone_is_e164"]
        rows.do("UPDATE users SET phone = '+4930123456' WHERE id = %s", culprit)
        assert scratch.run_file(IMPROVED) == ""
        assert rows.column(unchecked) == []

    def test_stops_at_rows_that_are_double_and_goes_on_once_they_are_not(self, scratch, rows, migrated):
        for email in ("ada@example.test", "Ada@example.test"):
            rows.add("users", email=email)
        with pytest.raises(AssertionError, match="users_have_distinct_emails"):
            scratch.run_file(IMPROVED)
        assert rows.value("SELECT bool_and(indisvalid) FROM pg_index") is False
        rows.do("UPDATE users SET email = 'ada2@example.test' WHERE email = 'Ada@example.test'")
        scratch.run_file(IMPROVED)
        assert schema_of(scratch) == schema_of(migrated)
        assert rows.value("SELECT bool_and(indisvalid) FROM pg_index") is True

    def test_stops_at_an_event_with_more_booked_seats_than_seats(self, scratch, rows):
        event = rows.add("events", total_slots=1)
        rows.book(event, 1, 2)
        with pytest.raises(AssertionError, match="available_slots_lie_between_none_and_all"):
            scratch.run_file(IMPROVED)
        rows.do("UPDATE events SET total_slots = 2")
        scratch.run_file(IMPROVED)
        assert rows.row("SELECT total_slots, available_slots FROM events") == (2, 0)

    def test_stops_at_a_table_that_is_held_and_goes_on_once_it_is_not(self, scratch, rows, migrated):
        rows.do("BEGIN")
        rows.do("SELECT 1 FROM bookings")
        with pytest.raises(AssertionError, match="lock timeout"):
            scratch.run_file(IMPROVED)
        rows.do("COMMIT")
        scratch.run_file(IMPROVED)
        assert schema_of(scratch) == schema_of(migrated)
