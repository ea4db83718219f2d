"""Tables that belong to an event: the work it owes, its free runs, its totals."""

import pytest

from tests.schema.refusals import refused


class TestJobs:
    def test_are_of_a_known_kind(self, rows):
        with refused("event_job_kind_is_known"):
            rows.add("event_jobs", kind="dance")

    def test_are_owed_once_of_each_kind(self, rows):
        event = rows.add("events")
        rows.add("event_jobs", event_id=event)
        rows.add("event_jobs", event_id=event, kind="settle_queue")
        with refused("an_event_owes_each_kind_once"):
            rows.add("event_jobs", event_id=event)

    def test_are_owed_again_once_they_are_done(self, rows):
        event = rows.add("events")
        rows.add("event_jobs", event_id=event, finished_at="2000-01-01")
        rows.add("event_jobs", event_id=event)

    def test_are_of_an_event_that_is_there(self, rows, nobody):
        with refused("event_jobs_event_id_fkey"):
            rows.add("event_jobs", event_id=nobody)


class TestFreeRuns:
    @pytest.mark.parametrize(("first", "last"), [(0, 3), (4, 3)])
    def test_begin_before_they_end(self, rows, first, last):
        with refused("free_runs_begin_before_they_end"):
            rows.add("event_free_runs", first_seat=first, last_seat=last)

    @pytest.mark.parametrize(("first", "last", "length"), [(1, 1, 1), (3, 7, 5), (1, 50, 50), (1, 51, 50)])
    def test_know_their_length_up_to_the_largest_party(self, rows, first, last, length):
        rows.add("event_free_runs", first_seat=first, last_seat=last)
        assert rows.value("SELECT length FROM event_free_runs") == length

    def test_end_at_a_seat_once(self, rows):
        event = rows.add("events")
        rows.add("event_free_runs", event_id=event, first_seat=1, last_seat=3)
        with refused("event_free_runs_pkey"):
            rows.add("event_free_runs", event_id=event, first_seat=2, last_seat=3)

    def test_are_of_an_event_that_is_there(self, rows, nobody):
        with refused("event_free_runs_event_id_fkey"):
            rows.add("event_free_runs", event_id=nobody)


class TestTotals:
    TOTALS = (
        "SELECT confirmed_bookings, waiting_bookings, cancelled_bookings, waiting_seats"
        " FROM event_totals WHERE event_id = %s"
    )

    @pytest.fixture
    def event(self, rows):
        return rows.add("events", total_slots=100)

    @pytest.fixture
    def totals(self, rows, event):
        return lambda of=event: rows.row(self.TOTALS, of)

    def test_count_new_bookings(self, rows, event, totals):
        rows.add("bookings", event_id=event)
        rows.add("bookings", event_id=event, status="waiting", waiting_number=1, seats=3)
        rows.add("bookings", event_id=event, status="waiting", waiting_number=2, seats=4)
        rows.add("bookings", event_id=event, status="cancelled")
        assert totals() == (1, 2, 1, 7)

    def test_count_many_bookings_of_many_events_in_one_statement(self, rows, event, totals):
        rows.add("bookings", event_id=event)
        other = rows.add("events")
        rows.do(
            "INSERT INTO bookings (event_id, user_id, seats, status)"
            " SELECT event, (SELECT id FROM users LIMIT 1), 2, 'confirmed'"
            " FROM unnest(ARRAY[%s, %s, %s]::uuid[]) AS event",
            event,
            other,
            event,
        )
        assert (totals(), totals(other)) == ((3, 0, 0, 0), (1, 0, 0, 0))

    def test_follow_a_promotion_and_a_cancellation(self, rows, event, totals):
        booking = rows.add("bookings", event_id=event, status="waiting", waiting_number=1, seats=3)
        rows.do("UPDATE bookings SET status = 'confirmed', waiting_number = NULL WHERE id = %s", booking)
        assert totals() == (1, 0, 0, 0)
        rows.do("UPDATE bookings SET status = 'cancelled' WHERE id = %s", booking)
        assert totals() == (0, 0, 1, 0)

    def test_follow_a_party_that_changes_its_size(self, rows, event, totals):
        rows.add("bookings", event_id=event, status="waiting", waiting_number=1, seats=3)
        rows.do("UPDATE bookings SET seats = 5")
        assert totals() == (0, 1, 0, 5)

    def test_follow_a_booking_to_another_event(self, rows, event, totals):
        booking = rows.add("bookings", event_id=event)
        other = rows.add("events")
        rows.do("UPDATE bookings SET event_id = %s WHERE id = %s", other, booking)
        assert (totals(), totals(other)) == ((0, 0, 0, 0), (1, 0, 0, 0))

    def test_follow_bookings_that_are_deleted(self, rows, event, totals):
        rows.add("bookings", event_id=event)
        rows.add("bookings", event_id=event, status="waiting", waiting_number=1, seats=3)
        rows.do("DELETE FROM bookings WHERE status = 'waiting'")
        assert totals() == (1, 0, 0, 0)

    def test_are_gone_when_all_bookings_are_truncated(self, rows, event):
        rows.add("bookings", event_id=event)
        rows.do("TRUNCATE bookings CASCADE")
        assert rows.all(self.TOTALS, event) == []
        rows.add("bookings", event_id=event)
        assert rows.row(self.TOTALS, event) == (1, 0, 0, 0)

    def test_pass_over_what_is_written_by_hand(self, rows, event, totals):
        rows.add("bookings", event_id=event)
        rows.do("UPDATE event_totals SET confirmed_bookings = 99")
        rows.do("DELETE FROM event_totals")
        rows.do("INSERT INTO event_totals (event_id, confirmed_bookings) VALUES (%s, 99)", rows.add("events"))
        assert totals() == (1, 0, 0, 0)
        assert rows.value("SELECT count(*) FROM event_totals") == 1

    def test_are_of_an_event_that_is_there(self, rows, nobody):
        rows.do("ALTER TABLE event_totals DISABLE TRIGGER USER")
        with refused("event_totals_event_id_fkey"):
            rows.do("INSERT INTO event_totals (event_id) VALUES (%s)", nobody)
