"""Rows alone, dumped and loaded into a database that the migrations made: the counters are right."""

import pytest

from tests.schema.rows import Rows

OURS = [
    "--data-only",
    "--exclude-table-data=django_migrations",
]
LEFT = "SELECT id, available_slots, is_bookable, total_slots FROM events ORDER BY id"
KEPT = [
    "organizations",
    "users",
    "organization_users",
    "membership_history",
    "bookings",
    "booking_seats",
    "booking_history",
    "notifications",
    "event_totals",
    "event_free_runs",
]


@pytest.fixture(scope="module")
def lived_in(beside, migrated):
    """A database with bookings of every kind; to be dumped, not written to."""
    scratch = beside(template=migrated)
    with scratch.connect() as connection:
        rows = Rows(connection.cursor())
        rows.add("organization_users")
        for seats in (3, 10):
            event = rows.add("events", total_slots=seats, org_id=rows.add("organizations"))
            booking = rows.book(event, 1, 2, 3)
            rows.add("booking_history", booking_id=booking, event_id=event)
            rows.add("bookings", event_id=event, status="waiting", waiting_number=4, seats=5)
            rows.add("event_free_runs", event_id=event, first_seat=4, last_seat=10)
        given_back = rows.book(event, 7, 8)
        rows.do("UPDATE booking_seats SET status = 'cancelled' WHERE booking_id = %s", given_back)
        rows.do("UPDATE bookings SET status = 'cancelled' WHERE id = %s", given_back)
        cancelled = rows.add("events")
        rows.book(cancelled, 1)
        rows.do("UPDATE events SET status = 'cancelled' WHERE id = %s", cancelled)
        rows.do("DELETE FROM bookings WHERE id = %s", rows.book(event, 9))
        rows.add("notifications")
    return scratch


def content(scratch) -> dict[str, list[tuple]]:
    with scratch.connect() as connection:
        rows = Rows(connection.cursor())
        return {"left": rows.all(LEFT)} | {
            table: rows.all(f"SELECT * FROM {table} ORDER BY 1, 2, 3") for table in KEPT
        }


class TestRowsLoadedIntoAFreshDatabase:
    @pytest.mark.parametrize("options", [[], ["--disable-triggers"]], ids=["with triggers", "without"])
    def test_are_those_that_were_dumped(self, lived_in, copy, tmp_path, options):
        file = tmp_path / "rows.sql"
        file.write_text("\\set ON_ERROR_STOP on\n" + lived_in.dump(*OURS, *options))
        copy.run_file(file)
        before, after = content(lived_in), content(copy)
        for table in before:
            assert after[table] == before[table], table

    def test_begin_with_what_the_counters_said(self, lived_in):
        before = content(lived_in)
        assert sorted(row[1:] for row in before["left"]) == [(0, False, 3), (7, True, 10), (9, False, 10)]
