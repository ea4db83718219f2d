"""The migrations on a database that people are using."""

from time import monotonic

import pytest
from django.db import IntegrityError, OperationalError

from tests.schema.rows import Rows
from tests.schema.scratch import ORIGINAL


@pytest.fixture(scope="module")
def original(beside):
    """A database at the original step; to be copied, not written to."""
    scratch = beside()
    scratch.migrate(ORIGINAL)
    return scratch


@pytest.fixture
def scratch(beside, original):
    return beside(template=original)


@pytest.fixture
def rows(scratch, connect):
    return Rows(connect(scratch).cursor())


class TestTheImprovedStep:
    def test_keeps_rows_and_mends_what_their_rules_need(self, scratch, rows):
        org = rows.add("organizations", domain="acme.example")
        event = rows.add("events", org_id=org, available_slots=0)
        booking = rows.book(event, 1, 2, 3)
        rows.add("booking_history", booking_id=booking)
        first, second = (
            rows.add("bookings", event_id=event, status="waiting", waiting_number=number, created_at=made)
            for number, made in [(3, "2020-01-01"), (3, "2020-01-02")]
        )
        for status in ("pending", "sent", "failed"):
            rows.add("notifications", status=status)
        scratch.migrate()
        assert rows.column("SELECT conname FROM pg_constraint WHERE NOT convalidated") == []
        assert rows.row(
            "SELECT available_slots, is_bookable, last_waiting_number, published_at IS NOT NULL FROM events"
        ) == (7, True, 2, True)
        line = "SELECT id FROM bookings WHERE status = 'waiting' ORDER BY waiting_number"
        assert rows.column(line) == [first, second]
        assert rows.row("SELECT * FROM event_totals") == (event, 1, 2, 0, 2)
        assert rows.value("SELECT count(*) FROM booking_seats") == 3
        assert rows.row("SELECT event_id, org_id FROM booking_history") == (event, org)
        assert rows.value("SELECT count(sent_at) + count(failed_at) FROM notifications") == 2

    def test_mends_an_index_that_a_cut_off_build_left_behind(self, scratch, rows):
        for email in ("ada@example.test", "Ada@example.test"):
            rows.add("users", email=email)
        with pytest.raises(IntegrityError, match="users_have_distinct_emails"):
            scratch.migrate()
        valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('users_have_distinct_emails')"
        assert rows.value(valid) is False
        rows.do("UPDATE users SET email = 'ada2@example.test' WHERE email = 'Ada@example.test'")
        scratch.migrate()
        assert rows.value(valid) is True
        assert rows.value("SELECT bool_and(indisvalid) FROM pg_index") is True

    def test_names_the_rule_that_old_rows_break_and_goes_on_once_they_do_not(self, scratch, rows):
        rows.add("users", phone="call me")
        with pytest.raises(IntegrityError, match="user_phone_is_e164"):
            scratch.migrate()
        rows.do("UPDATE users SET phone = NULL")
        scratch.migrate()

    def test_gives_up_soon_wherever_it_would_make_others_wait(self, scratch, rows):
        for step, done_by_somebody in [
            (ORIGINAL, "SELECT 1 FROM events"),
            ([("orgs", "0003_improved_checks")], "SELECT 1 FROM organizations"),
            ([("bookings", "0004_improved_indexes")], "SELECT 1 FROM booking_seats"),
            ([("bookings", "0005_improved_seat_key")], "DELETE FROM bookings"),
        ]:
            scratch.migrate(step)
            rows.do("BEGIN")
            rows.do(done_by_somebody)
            began = monotonic()
            with pytest.raises(OperationalError, match="lock timeout"):
                scratch.migrate()
            assert monotonic() - began < 30  # the connection itself would wait for a minute
            rows.do("COMMIT")
        scratch.migrate()


class TestAnIndexBuiltBesideTheWriters:
    def test_is_left_alone_where_it_stands(self, scratch, rows):
        rows.do("CREATE INDEX idx_users_status ON users (status)")
        oid = rows.value("SELECT 'idx_users_status'::regclass::oid")
        scratch.migrate()
        assert rows.value("SELECT 'idx_users_status'::regclass::oid") == oid

    def test_becomes_a_constraint_when_that_was_cut_off(self, scratch, rows):
        scratch.migrate([("orgs", "0003_improved_checks")])
        rows.do("CREATE UNIQUE INDEX organizations_have_distinct_slugs ON organizations (slug)")
        scratch.migrate()
        made = "SELECT contype FROM pg_constraint WHERE conname = 'organizations_have_distinct_slugs'"
        assert rows.value(made) == "u"
