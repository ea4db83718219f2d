import pytest
from django.db import OperationalError, connection

from bookings import guards
from bookings.guards import GuardMissing, ensure_guards, missing_guards


@pytest.mark.django_db
class TestGuards:
    def test_are_all_there(self):
        assert missing_guards() == {}

    def test_are_missed_when_one_is_gone(self):
        with connection.cursor() as cursor:
            cursor.execute("DROP INDEX idx_booking_seats_unique")
        assert missing_guards() == {"idx_booking_seats_unique": "missing"}

    def test_are_missed_when_one_is_left_over_from_a_build_that_was_cut_off(self):
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE pg_index SET indisvalid = false "
                "WHERE indexrelid = 'idx_booking_seats_unique'::regclass"
            )
        assert missing_guards() == {"idx_booking_seats_unique": "not valid"}

    def test_are_not_replaced_by_a_namesake_elsewhere(self):
        with connection.cursor() as cursor:
            cursor.execute(
                """
                CREATE SCHEMA elsewhere;
                CREATE TABLE elsewhere.seats (event_id uuid);
                CREATE UNIQUE INDEX idx_booking_seats_unique ON elsewhere.seats (event_id);
                DROP INDEX public.idx_booking_seats_unique
                """
            )
        assert missing_guards() == {"idx_booking_seats_unique": "missing"}


class TestStarting:
    @pytest.fixture(autouse=True)
    def _connection_stays(self, monkeypatch):
        monkeypatch.setattr(guards, "connection", type("Closed", (), {"close": staticmethod(lambda: None)}))

    def test_is_refused_without_a_guard(self, monkeypatch):
        monkeypatch.setattr(guards, "missing_guards", lambda: {"idx_booking_seats_unique": "not valid"})
        with pytest.raises(GuardMissing, match="idx_booking_seats_unique is not valid"):
            ensure_guards()

    def test_waits_for_no_database(self, monkeypatch, caplog):
        def away():
            raise OperationalError("nobody there")

        monkeypatch.setattr(guards, "missing_guards", away)
        ensure_guards()
        assert "could not be checked" in caplog.text
