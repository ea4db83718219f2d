"""`manage.py adopt_schema`: a database that schema.sql made, with dirt in it and people who go on booking."""

import json

import pytest
from django.core.management import CommandError, call_command

from happening.adopting import improving, report
from tests.schema.old_house import Dirt, OldProgram, make_original, used_by_django
from tests.schema.rows import Rows
from tests.schema.test_files import IMPROVED, schema_of


@pytest.fixture(scope="module")
def original(beside):
    """A database made by schema.sql; to be copied, not written to."""
    return make_original(beside())


@pytest.fixture
def scratch(beside, original):
    return beside(template=original)


@pytest.fixture
def rows(scratch, connect):
    return Rows(connect(scratch).cursor())


@pytest.fixture
def adopt(scratch, django_db_blocker, capsys):
    """Run the command on that database; returns its exit code and what it said."""

    def run(*words, **options):
        code = 0
        with used_by_django(scratch, django_db_blocker):
            try:
                call_command("adopt_schema", *words, **options)
            except SystemExit as end:
                code = end.code
            except CommandError as error:
                return 1, capsys.readouterr().out + str(error)
        return code, capsys.readouterr().out

    return run


def broken(adopt) -> dict[str, int]:
    _, said = adopt("--json")
    return {rule["rule"]: rule["count"] for rule in json.loads(said)["rules"]}


class TestTheReport:
    def test_finds_nothing_in_a_clean_database(self, adopt, rows):
        rows.book(rows.add("events", total_slots=10, available_slots=9), 1)
        code, said = adopt()
        assert code == 0
        assert "Every row keeps every rule." in said

    def test_says_which_rows_break_which_rule_and_changes_nothing(self, adopt, rows, scratch):
        dirt = Dirt(rows)
        before = scratch.dump()
        code, said = adopt()
        assert code == 1
        assert (
            "user_phone_is_e164: 2 of users: the phone is no number as +4930123456.\n"
            f"    {min(dirt.ada, dirt.bob)}" in said
        )
        assert broken(adopt) == {
            "organization_name_is_not_empty": 1,
            "organization_domain_is_a_domain": 1,
            "organization_settings_are_an_object": 1,
            "user_email_is_an_address": 2,
            "only_erased_people_have_no_email": 1,
            "user_phone_is_e164": 2,
            "user_name_is_not_empty": 1,
            "membership_permissions_are_lists_of_flags": 1,
            "invite_email_is_an_address": 1,
            "invite_token_is_not_empty": 1,
            "an_address_has_one_pending_invite": 1,
            "event_title_is_not_empty": 1,
            "event_time_zone_is_not_empty": 1,
            "event_ends_after_it_starts": 1,
            "a_booking_has_1_to_50_seats": 1,
            "only_waiting_bookings_have_a_number": 1,
            "nobody_shares_a_waiting_number": 3,
            "a_seat_belongs_to_a_booking_of_its_event": 1,
            "only_confirmed_bookings_hold_seats": 1,
            "seat_numbers_begin_at_1": 2,
            "confirmed_bookings_hold_no_more_than_their_seats": 1,
            "confirmed_bookings_hold_their_seats": 1,
            "available_slots_lie_between_none_and_all": 2,
        }
        assert scratch.dump() == before

    def test_finds_what_only_a_database_without_its_guards_can_have(self, adopt, rows):
        dirt = Dirt(rows)
        dirt.unguarded(rows)
        found = broken(adopt)
        assert found["idx_booking_seats_unique"] == 1
        assert found["bookings_event_id_fkey"] == found["booking_seats_event_id_fkey"] == 1
        assert found["bookings_user_id_fkey"] == found["events_org_id_fkey"] == 1
        _, said = adopt()
        assert "It lacks index idx_booking_seats_unique" in said
        assert "It lacks constraint booking_seats_event_id_fkey" in said

    def test_names_what_makes_a_database_another_one(self, adopt, rows):
        rows.do("ALTER TABLE bookings ALTER seats TYPE bigint, ADD COLUMN version text")
        code, said = adopt("--mend", "--improve", "--yes")
        assert code == 1
        assert "column seats of bookings: smallint NOT NULL" in said
        assert "column version of bookings stands already" in said

    def test_sends_an_empty_database_to_migrate(self, beside, django_db_blocker, capsys):
        with used_by_django(beside(), django_db_blocker), pytest.raises(SystemExit):
            call_command("adopt_schema")
        assert "manage.py migrate" in capsys.readouterr().out


class TestTheMend:
    def test_asks_for_consent(self, adopt, rows, scratch, monkeypatch):
        Dirt(rows)
        before = scratch.dump()
        for says in (False, True):
            monkeypatch.setattr("sys.stdin.isatty", lambda says=says: says, raising=False)
            monkeypatch.setattr("builtins.input", lambda question: "no")
            code, _ = adopt("--mend")
            assert code == 1
        assert scratch.dump() == before

    def test_mends_what_can_be_and_writes_each_mend_down(self, adopt, rows):
        dirt = Dirt(rows)
        code, said = adopt("--mend", "--yes")
        assert (code, broken(adopt)) == (0, {}), said
        assert rows.row("SELECT domain, settings FROM organizations WHERE id = %s", dirt.org) == (
            "acme.example",
            {},
        )
        assert rows.row("SELECT email, phone, name FROM users WHERE id = %s", dirt.ada) == (
            "ada@example.test",
            "+4930123456",
            None,
        )
        assert rows.row("SELECT email, phone FROM users WHERE id = %s", dirt.bob) == (
            f"{dirt.bob}@address.invalid",
            None,
        )
        assert rows.row(
            "SELECT was, became FROM adoption.mends WHERE rule = 'user_phone_is_e164' AND row_id = %s",
            dirt.bob,
        ) == ({"phone": "call me"}, {"phone": None})
        line = "SELECT id FROM bookings WHERE event_id = %s AND status = 'waiting' ORDER BY waiting_number"
        assert rows.column(line, dirt.room) == [dirt.line[0], dirt.line[2], dirt.line[1]]
        seats = "SELECT seat_no FROM booking_seats WHERE booking_id = %s AND status = 'booked' ORDER BY 1"
        assert rows.column(seats, dirt.seatless) == [1, 2]
        assert rows.column(seats, dirt.pair) == [1, 2, 4]  # the stray one came home
        assert rows.column(seats, dirt.later) == [3, 5, 6]
        left = "SELECT available_slots FROM events WHERE id = %s"
        assert (rows.value(left, dirt.hall), rows.value(left, dirt.room)) == (4, 2)
        assert rows.value("SELECT count(*) FROM adoption.mends WHERE became IS NULL") == 0

    def test_gives_a_domain_that_two_have_written_to_the_first(self, adopt, rows):
        written = ("HTTPS://acme.example/", "ACME.example", "globex.example", " Globex.example ")
        ids = [rows.add("organizations", domain=domain) for domain in written]
        code, said = adopt("--mend", "--yes")
        assert code == 0, said
        domains = dict(rows.all("SELECT id, domain FROM organizations"))
        first, second = sorted(ids[:2])
        assert [domains[pk] for pk in (first, second, *ids[2:])] == [
            *["acme.example", None, "globex.example", None]
        ]

    def test_mends_what_lost_its_guards_and_gives_the_guards_back(self, adopt, rows):
        dirt = Dirt(rows)
        dirt.unguarded(rows)
        code, said = adopt("--mend", "--yes")
        assert (code, broken(adopt)) == (0, {}), said
        seats = "SELECT seat_no FROM booking_seats WHERE booking_id = %s"
        assert rows.column(seats, dirt.twice) == [5]  # who was first stays in seat 1
        assert rows.value(
            "SELECT indisvalid FROM pg_index WHERE indexrelid = 'idx_booking_seats_unique'::regclass"
        )
        assert (
            rows.value(
                "SELECT status FROM users WHERE id = (SELECT user_id FROM bookings WHERE id = %s)", dirt.ghost
            )
            == "erased"
        )
        assert rows.value("SELECT org_id FROM events WHERE id = %s", dirt.homeless) is None
        aside = rows.column("SELECT relation FROM adoption.mends WHERE became IS NULL ORDER BY 1")
        assert aside == ["booking_seats", "bookings"]

    def test_leaves_to_a_person_what_only_a_person_can_decide(self, adopt, rows):
        small = rows.add("events", total_slots=1, available_slots=0)
        rows.book(small, 1)
        rows.add("bookings", event_id=small)
        rows.add("events", total_slots=-2)
        for email in ("ada@example.test", "Ada@example.test"):
            rows.add("users", email=email)
        code, said = adopt("--mend", "--improve", "--yes")
        assert code == 1
        assert broken(adopt) == {
            "users_have_distinct_emails": 2,
            "event_has_at_least_one_seat": 1,
            "confirmed_bookings_hold_their_seats": 1,
        }
        assert "By hand: Decide which account stays" in said
        assert "The improved step is not begun" in said
        assert rows.value("SELECT to_regclass('django_migrations')") is None


class TestTheImprovedStep:
    def test_ends_in_the_schema_of_the_migrations_with_nothing_lost(self, adopt, rows, scratch, migrated):
        dirt = Dirt(rows)
        dirt.unguarded(rows)
        code, said = adopt("--mend", "--improve", "--yes")
        assert code == 0, said
        assert "bookings: 10 rows before, 9 of them after, 1 set aside in the ledger." in said
        assert rows.value("SELECT count(*) FROM django_migrations WHERE app = 'bookings'") >= 9
        assert adopt("--json")[0] == 0
        assert adopt("--forget", "--yes")[0] == 0
        assert "adoption" not in scratch.dump()
        with_django = {
            "django_",
            "auth_",
            "account_emailaddress",
            "account_emailconfirmation",
            "mfa_",
            "usersessions_",
        }
        theirs = [f"--exclude-table={prefix}*" for prefix in sorted(with_django)]
        ours = scratch.dump("--schema-only", *theirs)
        assert ours == schema_of(migrated)
        assert rows.row(
            "SELECT available_slots, last_waiting_number FROM events WHERE id = %s", dirt.room
        ) == (1, 3)

    def test_refuses_while_rows_break_rules_and_nobody_consents(self, adopt, rows):
        rows.add("users", phone="call me")
        code, said = adopt("--improve", "--yes")
        assert code == 1
        assert "The improved step is not begun" in said

    def test_keeps_the_ledger_until_it_is_done(self, adopt, rows):
        rows.add("users", phone="call me")
        assert adopt("--mend", "--yes")[0] == 0
        code, said = adopt("--forget", "--yes")
        assert (code, "The adoption is not done" in said) == (1, True)

    def test_takes_over_what_the_improved_file_has_made(self, adopt, rows, scratch):
        rows.book(rows.add("events"), 1)
        scratch.run_file("docs/schema/schema_improved.sql")
        code, said = adopt("--improve", "--yes")
        assert code == 0, said
        assert "Adopted" in said

    def test_is_done_by_one_at_a_time(self, adopt, scratch, django_db_blocker):
        with used_by_django(scratch, django_db_blocker), improving.alone():
            code, said = adopt("--improve", "--yes")
        assert (code, "under way" in said) == (1, True)

    def test_gives_up_when_somebody_holds_a_table_and_goes_on_once_nobody_does(self, adopt, rows, scratch):
        event = rows.add("events", available_slots=10)
        rows.do("BEGIN")
        rows.do("SELECT FROM bookings")
        code, said = adopt("--improve", "--yes", patience=0)
        assert code == 1
        assert "bookings.0002_improved_columns does not get its locks" in said
        rows.do("COMMIT")
        assert adopt("--improve", "--yes")[0] == 0
        assert "adoption" not in scratch.dump()  # nothing was mended, so there is no ledger

        rows.add("bookings", event_id=event, status="waiting", waiting_number=3)  # by the old program
        code, said = adopt("--improve", "--yes")
        assert (code, "1 events were counted anew" in said) == (0, True)
        assert rows.value("SELECT last_waiting_number FROM events") == 3


class TestBesideTheOldProgram:
    def test_makes_no_booking_fail_and_loses_none(self, adopt, rows, scratch):
        people = [rows.add("users") for _ in range(40)]
        events = [rows.add("events", total_slots=20_000, available_slots=20_000) for _ in range(40)]
        Dirt(rows)
        programs = [
            OldProgram(scratch.connect, events, people, number=number, of=2, pause=0.005)
            for number in range(2)
        ]
        for program in programs:
            program.start()
        try:
            code, said = adopt("--mend", "--improve", "--yes")
        finally:
            for program in programs:
                program.stop()
        assert code == 0, said
        assert [error for program in programs for error in program.errors] == []
        booked = {booking for program in programs for booking in program.booked}
        assert len(booked) > 100
        assert booked <= set(rows.column("SELECT id FROM bookings"))
        wrong = "SELECT id FROM events WHERE available_slots <> get_event_available_slots(id)"
        assert rows.column(wrong) == []
        totals = rows.value("SELECT sum(confirmed_bookings) FROM event_totals")
        assert totals == rows.value("SELECT count(*) FROM bookings WHERE status = 'confirmed'")

    def test_by_the_file_alone_makes_no_booking_fail_either(self, rows, scratch, migrated):
        people = [rows.add("users") for _ in range(40)]
        events = [rows.add("events", total_slots=20_000, available_slots=20_000) for _ in range(40)]
        programs = [
            OldProgram(scratch.connect, events, people, number=number, of=2, pause=0.005)
            for number in range(2)
        ]
        for program in programs:
            program.start()
        try:
            while not self._is_run(scratch):  # it stops where it would make others wait
                pass
        finally:
            for program in programs:
                program.stop()
        assert [error for program in programs for error in program.errors] == []
        assert (
            rows.column("SELECT id FROM events WHERE available_slots <> get_event_available_slots(id)") == []
        )
        assert schema_of(scratch) == schema_of(migrated)

    def _is_run(self, scratch) -> bool:
        try:
            assert scratch.run_file(IMPROVED) == ""
        except AssertionError as error:
            if "lock timeout" not in str(error):
                raise
            return False
        return True


class TestEveryRule:
    def test_reads_and_mends_rows_of_its_own_table(self):
        for rule in report.RULES:
            assert f"FROM {rule.table} AS line" in rule.count()
            assert rule.mends if rule.mend else rule.by_hand
