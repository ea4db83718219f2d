"""How the services use the database: one durable transaction, one order of locks, few statements."""

import ast
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from bookings import services
from bookings.models import Booking
from tests.factories import EventFactory, UserFactory

# What improves an old database writes its rows as well.
WRITERS = {Path("bookings/ledger.py"), Path("bookings/recounting.py")}
IMPROVING = Path("happening/adopting")
APPS = ("bookings", "events", "happening", "notifications", "orgs")
MOST_STATEMENTS_OF_A_BOOKING = 8  # the lock, two reads, five writes


def sources():
    """Every module that is neither a test nor a migration, with its path inside the checkout."""
    for app in APPS:
        for path in sorted((settings.BASE_DIR / app).rglob("*.py")):
            if not {"tests", "migrations"} & set(path.parts):
                yield path.relative_to(settings.BASE_DIR), path.read_text()


@pytest.mark.django_db
class TestEveryService:
    @pytest.fixture
    def calls(self, event, book, now, organizer):
        """Each service, ready to be called."""
        booking, by = book(event, 9), {"actor_id": organizer.pk, "now": now}
        waiting = book(event, 2, or_wait=True)
        of_org = {"organization_id": event.org_id, "actor_id": None, "now": now}
        move = {
            "event_date": event.event_date,
            "ends_at": None,
            "time_zone": "UTC",
            "place": "The park",
            "online_url": "",
        }
        return {
            "book": lambda: book(event, 1, or_wait=True),
            "cancel": lambda: services.cancel(booking_id=booking.pk, **by),
            "modify": lambda: services.modify(booking_id=booking.pk, version=1, seats=1, **by),
            "promote": lambda: services.promote(booking_id=waiting.pk, reason="So.", **by),
            "settle": lambda: services.settle(event_id=event.pk, now=now),
            "change_capacity": lambda: services.change_capacity(event_id=event.pk, total_slots=20, **by),
            "reschedule": lambda: services.reschedule(event_id=event.pk, **move, **by),
            "close_waitlist": lambda: services.close_waitlist(event_id=event.pk, now=event.event_date),
            "change_layout": lambda: services.change_layout(event_id=event.pk, layout=None, **by),
            "resend": lambda: services.resend(booking_id=booking.pk, **by),
            "cancel_event": lambda: services.cancel_event(event_id=event.pk, reason="So.", **by),
            "suspend_organization": lambda: services.suspend_organization(**of_org),
            "reopen_organization": lambda: services.reopen_organization(**of_org),
            "close_organization": lambda: services.close_organization(reason="So.", **of_org),
        }

    def test_refuses_to_become_half_of_somebody_else_s_transaction(self, event, calls, monkeypatch):
        """A service that commits nothing itself could tell people of what is then rolled back."""
        lines = Booking.objects.count()
        for call in calls.values():
            with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
                call()
        assert Booking.objects.count() == lines

    def test_stands_in_the_list_above(self, calls):
        others = {
            *("close_waitlists", "due_reminders", "owe_reminders", "run_jobs"),  # many transactions
            *("count_to_let_go", "set_aside"),  # none
        }
        assert set(services.__all__) - others == set(calls)

    def test_takes_its_facts_by_name_and_the_moment_too(self):
        for path, source in sources():
            if path.parent != Path("bookings/services"):
                continue
            for function in ast.parse(source).body:
                if isinstance(function, ast.FunctionDef) and function.name in services.__all__:
                    named = [argument.arg for argument in function.args.kwonlyargs]
                    assert not function.args.args, function.name
                    assert "now" in named, function.name


@pytest.mark.django_db(transaction=True)
class TestStatements:
    @pytest.fixture
    def event(self, book):
        event = EventFactory(total_slots=30)
        book(event, 2)
        return event

    def test_of_a_plain_booking_are_few(self, event, book):
        person = UserFactory()
        with CaptureQueriesContext(connection) as captured:
            book(event, 2, user=person)
        statements = [query["sql"] for query in captured if query["sql"] not in ("BEGIN", "COMMIT")]
        assert len(statements) <= MOST_STATEMENTS_OF_A_BOOKING, statements

    def test_of_a_booking_lock_the_event_before_anything_else(self, event, book):
        person = UserFactory()
        with CaptureQueriesContext(connection) as captured:
            book(event, 2, user=person)
        statements = [query["sql"] for query in captured]
        assert statements[0] == "BEGIN"
        assert 'FOR NO KEY UPDATE OF "events"' in statements[1]

    def test_are_as_many_for_fifty_seats_and_for_fifty_promotions(self, book, cancel):
        def counted(do):
            with CaptureQueriesContext(connection) as captured:
                do()
            return len(captured)

        counts = []
        for parties in (1, 50):
            event = EventFactory(total_slots=50)
            all_seats = book(event, 50)
            for _ in range(parties):
                book(event, 1, or_wait=True)
            counts.append(counted(lambda all_seats=all_seats: cancel(all_seats)))
        assert counts[0] == counts[1]

    def test_never_set_a_savepoint(self, event, book, modify, cancel):
        with CaptureQueriesContext(connection) as captured:
            booking = book(event, 3)
            modify(booking, 5)
            modify(booking, seat_nos=[20, 21])
            book(event, 26)
            waiting = book(event, 2, or_wait=True)
            modify(waiting, 1)
            cancel(booking)
        assert Booking.objects.get(pk=waiting.pk).is_confirmed
        assert not [query["sql"] for query in captured if "SAVEPOINT" in query["sql"].upper()]

    def test_run_under_read_committed(self, event):
        with connection.cursor() as cursor:
            cursor.execute("SHOW transaction_isolation")
            assert cursor.fetchone() == ("read committed",)

    def test_leave_nothing_behind_when_one_of_them_fails(self, event, book, monkeypatch):
        monkeypatch.setattr("notifications.outbox.enqueue", _failing)
        with pytest.raises(RuntimeError):
            book(event, 2)
        assert Booking.objects.filter(event=event).count() == 1
        event.refresh_from_db()
        assert event.available_slots == 28


class TestTheCode:
    def test_locks_rows_in_one_form_only(self):
        found = [
            (str(path), call)
            for path, source in sources()
            for call in re.findall(r"select_for_update\(([^)]*\)?[^)]*)\)", source)
        ]
        assert found
        for path, call in found:
            assert "no_key=True" in call, path
            assert 'of=("self",)' in call, path

    def test_never_locks_a_row_in_sql_of_its_own_so_that_others_keys_must_wait(self):
        for path, source in sources():
            assert not re.search(r"\bFOR (UPDATE|SHARE)\b(?! SKIP LOCKED)", source), path

    def test_writes_bookings_and_seats_in_the_ledger_only(self):
        by_sql = re.compile(
            r"\b(INSERT INTO|UPDATE|DELETE FROM)\s+(bookings|booking_seats|booking_history)\b"
        )
        by_model = re.compile(
            r"\b(Booking|BookingSeat|BookingHistory)\.objects\.(create|bulk_create|bulk_update|get_or_create)"
            r"|\bbooking\.(save|delete)\("
        )
        for path, source in sources():
            if path not in WRITERS and IMPROVING not in path.parents:
                assert not by_sql.search(source), path
                assert not by_model.search(source), path

    def test_writes_free_runs_in_one_file_only(self):
        for path, source in sources():
            if path not in (
                Path("bookings/free_runs.py"),
                Path("happening/doctor/invariants.py"),
            ):  # a mend, said
                assert not re.search(r"(INSERT INTO|UPDATE|DELETE FROM)\s+event_free_runs", source), path

    def test_reads_no_clock_below_the_views(self):
        for path, source in sources():
            if path.parts[0] == "bookings" and path.parts[1] in (
                "services",
                "box_office.py",
                "ledger.py",
                "house.py",
            ):
                assert "timezone.now" not in source, path


def _failing(*args, **kwargs):
    raise RuntimeError("The outbox is full.")
