"""Each guard is broken as it breaks in life; the doctor names it, and its mend mends it."""

import pytest

from happening.doctor import guards
from happening.tests.doctor.conftest import wrong

pytestmark = pytest.mark.django_db

BREAKS = {
    "a unique index that is gone": (
        "DROP INDEX idx_booking_seats_unique",
        "idx_booking_seats_unique is missing",
    ),
    "an index that was made otherwise": (
        "DROP INDEX idx_booking_seats_unique;"
        "CREATE INDEX idx_booking_seats_unique ON booking_seats (event_id, seat_no)",
        "idx_booking_seats_unique is not what the migrations make",
    ),
    "an index whose build was cut off": (
        "UPDATE pg_index SET indisvalid = false"
        " WHERE indexrelid = 'nobody_shares_a_waiting_number'::regclass",
        "nobody_shares_a_waiting_number is not valid, so it guards nothing",
    ),
    "a trigger that is switched off": (
        "ALTER TABLE bookings DISABLE TRIGGER bookings_inserted",
        "bookings bookings_inserted is switched off, or always on",
    ),
    "a trigger that runs during a restore": (
        "ALTER TABLE events ENABLE ALWAYS TRIGGER events_counters_stay",
        "events events_counters_stay is switched off, or always on",
    ),
    "a trigger that is gone": (
        "DROP TRIGGER booking_history_is_append_only ON booking_history",
        "booking_history booking_history_is_append_only is missing",
    ),
    "a check that is gone": (
        "ALTER TABLE bookings DROP CONSTRAINT only_waiting_bookings_have_a_number",
        "bookings only_waiting_bookings_have_a_number is missing",
    ),
    "a check that was loosened": (
        "ALTER TABLE bookings DROP CONSTRAINT only_waiting_bookings_have_a_number;"
        "ALTER TABLE bookings ADD CONSTRAINT only_waiting_bookings_have_a_number CHECK (seats > 0)",
        "bookings only_waiting_bookings_have_a_number is not what the migrations make",
    ),
    "a check that the rows were not held against": (
        "ALTER TABLE booking_seats DROP CONSTRAINT seat_numbers_begin_at_1;"
        "ALTER TABLE booking_seats ADD CONSTRAINT seat_numbers_begin_at_1 CHECK ((seat_no >= 1)) NOT VALID",
        "booking_seats seat_numbers_begin_at_1 is not checked for the rows that stand",
    ),
    "a foreign key that is gone": (
        "ALTER TABLE booking_seats DROP CONSTRAINT a_seat_belongs_to_a_booking_of_its_event",
        "booking_seats a_seat_belongs_to_a_booking_of_its_event is missing",
    ),
}


class TestGuards:
    def test_are_all_there_after_migrating(self):
        [finding] = guards.look()
        assert finding.is_ok

    @pytest.mark.parametrize(("broken", "says"), BREAKS.values(), ids=BREAKS)
    def test_are_missed_and_mended(self, sql, mended, broken, says):
        sql(broken)
        [finding] = wrong(guards.look())
        assert finding.says == says
        if "pg_index" in broken:  # as the index itself is, there is nothing to make anew in this transaction
            sql("UPDATE pg_index SET indisvalid = true WHERE NOT indisvalid")
        mended(finding)
        assert wrong(guards.look()) == []

    def test_say_which_function_is_not_the_migrations_own(self, sql):
        sql(
            "CREATE OR REPLACE FUNCTION keep_booking_history() RETURNS trigger LANGUAGE plpgsql"
            " AS $$ BEGIN RETURN OLD; END $$"
        )
        [finding] = wrong(guards.look())
        assert finding.says == "keep_booking_history() is not what the migrations make"
        assert "schema_improved.sql" in finding.mend

    def test_say_which_foreign_keys_were_put_out(self, sql, mended):
        sql("ALTER TABLE booking_seats DISABLE TRIGGER ALL")
        found = wrong(guards.look())
        [inside] = [one for one in found if "foreign keys" in one.says]
        assert inside.mend == "ALTER TABLE booking_seats ENABLE TRIGGER ALL;"
        mended(inside)
        assert wrong(guards.look()) == []

    def test_leave_alone_what_others_added(self, sql):
        sql("CREATE INDEX of_the_reports ON bookings (created_at)")
        assert wrong(guards.look()) == []
