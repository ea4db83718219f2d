"""The names that the document promises, and that no rule stands without a test that sees it refuse."""

import ast
import re
from pathlib import Path

import pytest

from tests.schema.refusals import refused

TABLES = [
    "organizations",
    "users",
    "organization_users",
    "events",
    "bookings",
    "booking_seats",
    "booking_history",
    "notifications",
    "organization_invites",
]
OURS = [
    *TABLES,
    "event_jobs",
    "event_totals",
    "event_free_runs",
    "notification_preferences",
    "account_mails",
    "keycloak_groups",
    "spent_tokens",
    "job_runs",
    "membership_history",
]
INDEXES = [
    "idx_events_date_status",
    "idx_bookings_event_id",
    "idx_notifications_pending",
    "idx_organization_users_active",
    "idx_booking_seats_unique",
]
BEHIND_ANOTHER = {"a_booking_has_one_event"}  # only there for a_seat_belongs_to_a_booking_of_its_event


def _names_of_tested_rules() -> set[str]:
    """What the tests beside this one pass to `refused`, and the rules of their tables of offences."""
    names = set()
    for file in Path(__file__).parent.glob("test_*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "refused":
                names |= {argument.value for argument in node.args if isinstance(argument, ast.Constant)}
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict):
                names |= {key.value for key in node.value.keys if isinstance(key, ast.Constant)}
    return names


class TestTheDocument:
    @pytest.mark.parametrize("table", TABLES)
    def test_finds_the_table_and_what_it_is_for(self, rows, table):
        assert rows.value("SELECT obj_description(to_regclass(%s), 'pg_class')", table)

    @pytest.mark.parametrize("index", INDEXES)
    def test_finds_the_index(self, rows, index):
        assert rows.value("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)", index)

    @pytest.mark.parametrize("view", ["event_booking_summary", "user_booking_summary"])
    def test_finds_the_view(self, rows, view):
        assert rows.value("SELECT relkind FROM pg_class WHERE oid = to_regclass(%s)", view) == "v"

    @pytest.mark.parametrize(
        "function",
        [
            "get_event_available_slots(uuid)",
            "update_event_available_slots()",
            "update_updated_at_column()",
            "archive_booking_history(timestamptz)",
        ],
    )
    def test_finds_the_function(self, rows, function):
        assert rows.value("SELECT to_regprocedure(%s) IS NOT NULL", function)

    def test_finds_an_index_for_every_foreign_key(self, rows):
        without = rows.column(
            """
            SELECT conname FROM pg_constraint AS fk
            WHERE contype = 'f' AND conrelid::regclass::text = ANY(%s) AND NOT EXISTS (
                SELECT FROM pg_index
                WHERE indrelid = fk.conrelid AND indpred IS NULL AND indkey[0] = fk.conkey[1]
            )
            """,
            OURS,
        )
        assert without == []

    @pytest.mark.parametrize(
        ("index", "condition"),
        [
            ("idx_booking_seats_unique", "((status)::text = 'booked'::text)"),
            ("idx_notifications_pending", "((status)::text = 'pending'::text)"),
            ("idx_organization_users_active", "((status)::text = 'active'::text)"),
        ],
    )
    def test_finds_the_index_partial(self, rows, index, condition):
        found = "SELECT pg_get_expr(indpred, indrelid) FROM pg_index WHERE indexrelid = to_regclass(%s)"
        assert rows.value(found, index) == condition


class TestEveryRule:
    def test_is_checked_for_old_rows_as_well(self, rows):
        unchecked = (
            "SELECT conname FROM pg_constraint WHERE NOT convalidated AND conrelid::regclass::text = ANY(%s)"
        )
        assert rows.column(unchecked, OURS) == []

    def test_that_is_an_index_is_valid_and_ready(self, rows):
        broken = rows.column(
            "SELECT indexrelid::regclass::text FROM pg_index"
            " WHERE indrelid::regclass::text = ANY(%s) AND NOT (indisvalid AND indisready AND indislive)",
            OURS,
        )
        assert broken == []

    def test_that_is_a_trigger_is_switched_on(self, rows):
        off = rows.column(
            "SELECT tgname FROM pg_trigger WHERE tgrelid::regclass::text = ANY(%s) AND tgenabled <> 'O'", OURS
        )
        assert off == []

    def test_has_a_test_that_sees_it_refuse(self, rows):
        constraints = rows.column(
            "SELECT conname FROM pg_constraint"
            " WHERE contype IN ('c', 'u', 'f', 'x') AND conrelid::regclass::text = ANY(%s)",
            OURS,
        )
        unique_indexes = rows.column(
            "SELECT indexrelid::regclass::text FROM pg_index"
            " WHERE indisunique AND NOT indisprimary AND indrelid::regclass::text = ANY(%s)",
            OURS,
        )
        functions = rows.column("SELECT prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace")
        raised = re.findall(r"CONSTRAINT = '(\w+)'", "".join(functions))
        rules = {*constraints, *unique_indexes, *raised} - BEHIND_ANOTHER
        assert rules - _names_of_tested_rules() == set()

    @pytest.mark.parametrize(
        "table", [table for table in OURS if table not in ("event_totals", "event_free_runs")]
    )
    def test_begins_with_an_id_that_no_other_row_has(self, rows, table):
        row = rows.add(table)
        with refused(f"{table}_pkey"):
            rows.add(table, id=row)
