import pytest

from tests.schema.refusals import each, refused

OFFENCES = {
    "booking_seat_status_is_known": [{"status": "held"}],
    "seat_numbers_begin_at_1": [{"seat_no": 0}, {"seat_no": -1}],
    "seat_numbers_end_at_the_capacity": [{"seat_no": 11}],
}


class TestSeats:
    @pytest.mark.parametrize(("rule", "columns"), each(OFFENCES))
    def test_refuse(self, rows, rule, columns):
        with refused(rule):
            rows.add("booking_seats", **columns)

    @pytest.mark.parametrize(
        "columns", [{"seat_no": 1}, {"seat_no": 10}, {"seat_no": 11, "status": "cancelled"}]
    )
    def test_take(self, rows, columns):
        rows.add("booking_seats", **columns)

    def test_are_booked_once(self, rows):
        event = rows.add("events")
        rows.book(event, 3)
        with refused("idx_booking_seats_unique"):
            rows.book(event, 3)

    def test_are_booked_again_once_they_are_given_back(self, rows):
        event = rows.add("events")
        booking = rows.book(event, 3)
        rows.do("UPDATE booking_seats SET status = 'cancelled' WHERE booking_id = %s", booking)
        rows.book(event, 3)
        with refused("idx_booking_seats_unique"):
            rows.do("UPDATE booking_seats SET status = 'booked' WHERE booking_id = %s", booking)

    def test_are_of_a_booking_of_the_same_event(self, rows):
        booking = rows.add("bookings")
        with refused("a_seat_belongs_to_a_booking_of_its_event"):
            rows.add("booking_seats", booking_id=booking, event_id=rows.add("events"))

    def test_stay_with_the_event_of_their_booking(self, rows):
        booking = rows.book(rows.add("events"), 1)
        with refused("a_seat_belongs_to_a_booking_of_its_event"):
            rows.do("UPDATE bookings SET event_id = %s WHERE id = %s", rows.add("events"), booking)

    def test_are_of_an_event_that_is_there(self, rows, nobody):
        rows.do("ALTER TABLE booking_seats DROP CONSTRAINT a_seat_belongs_to_a_booking_of_its_event")
        with refused("booking_seats_event_id_fkey"):
            rows.add("booking_seats", event_id=nobody)

    def test_go_with_their_booking(self, rows):
        booking = rows.book(rows.add("events"), 1, 2)
        rows.do("DELETE FROM bookings WHERE id = %s", booking)
        assert rows.value("SELECT count(*) FROM booking_seats") == 0


class TestTheCapacityOfAnEvent:
    def test_is_kept_by_a_seat_that_moves(self, rows):
        rows.book(rows.add("events"), 3)
        with refused("seat_numbers_end_at_the_capacity"):
            rows.do("UPDATE booking_seats SET seat_no = 11")

    def test_is_kept_by_a_seat_that_is_booked_again(self, rows):
        rows.add("booking_seats", seat_no=11, status="cancelled")
        with refused("seat_numbers_end_at_the_capacity"):
            rows.do("UPDATE booking_seats SET status = 'booked'")

    def test_holds_every_booked_seat(self, rows):
        event = rows.add("events")
        rows.book(event, 8)
        rows.do("UPDATE events SET total_slots = 8 WHERE id = %s", event)
        with refused("capacity_holds_every_booked_seat"):
            rows.do("UPDATE events SET total_slots = 7 WHERE id = %s", event)

    def test_need_not_hold_a_seat_that_was_given_back(self, rows):
        event = rows.add("events")
        rows.book(event, 8)
        rows.do("UPDATE booking_seats SET status = 'cancelled'")
        rows.do("UPDATE events SET total_slots = 1 WHERE id = %s", event)

    def test_bounds_the_seats_that_are_left(self, rows):
        rows.do("ALTER TABLE events DISABLE TRIGGER USER")
        event = rows.add("events", available_slots=10)
        for wrong in (-1, 11):
            with refused("available_slots_lie_between_none_and_all"):
                rows.do("UPDATE events SET available_slots = %s WHERE id = %s", wrong, event)
