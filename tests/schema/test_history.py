import pytest
from django.db import IntegrityError, transaction

from tests.schema.refusals import refused

ARCHIVED = "SELECT count(*) FROM archive_booking_history(%s)"


class TestTheHistoryOfBookings:
    @pytest.mark.parametrize("action", ["created", "cancelled", "promoted", "modified"])
    def test_takes_the_action(self, rows, action):
        rows.add("booking_history", action=action)

    def test_takes_no_other_action(self, rows):
        with refused("booking_history_action_is_known"):
            rows.add("booking_history", action="deleted")

    def test_needs_no_booking_event_or_person(self, rows, nobody):
        rows.add("booking_history", booking_id=nobody, event_id=nobody, org_id=nobody, user_id=nobody)


class TestTheSealOfTheHistory:
    @pytest.fixture(autouse=True)
    def line(self, rows):
        return rows.add("booking_history", created_at="2020-01-01")

    def test_refuses_to_change_a_line(self, rows):
        with refused("booking_history_is_append_only"):
            rows.do("UPDATE booking_history SET action = 'cancelled'")

    def test_refuses_to_delete_a_line(self, rows):
        with refused("booking_history_is_append_only"):
            rows.do("DELETE FROM booking_history")

    def test_lets_the_archive_take_what_is_old_and_return_it(self, rows, line):
        rows.add("booking_history", created_at="2021-01-01")
        taken = rows.column("SELECT id FROM archive_booking_history('2020-06-01')")
        assert taken == [line]
        assert rows.value("SELECT count(*) FROM booking_history") == 1

    def test_is_closed_again_behind_the_archive(self, rows):
        rows.value(ARCHIVED, "2020-01-01")
        with refused("booking_history_is_append_only"):
            rows.do("DELETE FROM booking_history")

    def test_is_closed_again_behind_an_archive_that_failed(self, rows):
        rows.do(
            "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE unique_violation; END'"
        )
        rows.do("CREATE TRIGGER fail AFTER DELETE ON booking_history EXECUTE FUNCTION fail()")
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.value(ARCHIVED, "2100-01-01")
        rows.do("DROP TRIGGER fail ON booking_history")
        with refused("booking_history_is_append_only"):
            rows.do("DELETE FROM booking_history")

    def test_refuses_to_change_a_line_even_while_the_archive_runs(self, rows):
        rows.do("SELECT set_config('happening.archiving', 'yes', true)")
        with refused("booking_history_is_append_only"):
            rows.do("UPDATE booking_history SET action = 'cancelled'")

    def test_is_not_opened_by_a_function_of_the_archive_s_name(self, rows):
        rows.do("CREATE SCHEMA elsewhere")
        rows.do(
            "CREATE FUNCTION elsewhere.archive_booking_history(before timestamptz) RETURNS bigint"
            " LANGUAGE plpgsql AS 'DECLARE n bigint; BEGIN DELETE FROM public.booking_history;"
            " GET DIAGNOSTICS n = ROW_COUNT; RETURN n; END'"
        )
        rows.do("SET LOCAL search_path = elsewhere, public")
        with refused("booking_history_is_append_only"):
            rows.value("SELECT archive_booking_history('2100-01-01')")
        rows.do("SET LOCAL search_path = public")

    def test_is_not_opened_by_a_statement_that_names_the_archive(self, rows):
        with refused("booking_history_is_append_only"):
            rows.do(
                "DO $$ BEGIN EXECUTE 'DELETE FROM booking_history"
                " /* PL/pgSQL function archive_booking_history(timestamp with time zone) line 3 */'; END $$"
            )

    def test_is_opened_by_nobody_who_may_not_call_the_archive(self, rows):
        rows.do("CREATE ROLE clerk")
        rows.do("GRANT ALL ON booking_history TO clerk")
        rows.do("SET LOCAL ROLE clerk")
        rows.do("SELECT set_config('happening.archiving', 'yes', true)")
        with refused("booking_history_is_append_only"):
            rows.do("DELETE FROM booking_history")
        rows.do("RESET ROLE")

    def test_keeps_the_archive_from_everybody_who_was_not_granted_it(self, rows):
        rows.do("CREATE ROLE clerk")
        granted = "SELECT has_function_privilege('clerk', 'archive_booking_history(timestamptz)', 'EXECUTE')"
        assert rows.value(granted) is False

    def test_gives_way_to_truncate(self, rows):
        rows.do("TRUNCATE booking_history")
        assert rows.value("SELECT count(*) FROM booking_history") == 0


class TestABookingThatIsDeleted:
    LAST_LINE = """
        SELECT action, details ->> 'reason', details ->> 'was', (details ->> 'seats')::int, event_id, user_id
        FROM booking_history WHERE booking_id = %s
    """

    @pytest.fixture
    def org(self, rows):
        return rows.add("organizations")

    @pytest.fixture
    def event(self, rows, org):
        return rows.add("events", org_id=org)

    @pytest.fixture
    def person(self, rows):
        return rows.add("users")

    @pytest.fixture
    def booking(self, rows, event, person):
        return rows.book(event, 1, 2, user_id=person)

    def test_leaves_a_last_line(self, rows, booking, event, person):
        rows.do("DELETE FROM bookings WHERE id = %s", booking)
        assert rows.row(self.LAST_LINE, booking) == ("cancelled", "deleted", "confirmed", 2, event, person)

    def test_leaves_a_last_line_when_it_goes_with_its_event(self, rows, booking, event, person):
        rows.do("DELETE FROM events WHERE id = %s", event)
        assert rows.row(self.LAST_LINE, booking) == ("cancelled", "deleted", "confirmed", 2, event, person)

    def test_leaves_what_was_written_before(self, rows, booking, event):
        rows.add("booking_history", booking_id=booking, event_id=event)
        rows.do("DELETE FROM events WHERE id = %s", event)
        actions = rows.column(
            "SELECT action FROM booking_history WHERE booking_id = %s ORDER BY action DESC", booking
        )
        assert actions == ["created", "cancelled"]

    def test_says_whose_it_was(self, rows, booking, org):
        rows.do("DELETE FROM bookings WHERE id = %s", booking)
        assert rows.column("SELECT org_id FROM booking_history") == [org]

    def test_says_whose_it_was_when_its_event_is_gone_and_its_history_knows(self, rows, booking, event, org):
        rows.add("booking_history", booking_id=booking, event_id=event, org_id=org)
        rows.do("DELETE FROM events WHERE id = %s", event)
        assert rows.column("SELECT org_id FROM booking_history") == [org, org]
