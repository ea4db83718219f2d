import pytest

from tests.schema.refusals import each, refused

OFFENCES = {
    "booking_status_is_known": [{"status": "paid"}],
    "a_booking_has_1_to_50_seats": [{"seats": 0}, {"seats": -1}, {"seats": 51}],
    "only_waiting_bookings_have_a_number": [
        {"status": "confirmed", "waiting_number": 1},
        {"status": "cancelled", "waiting_number": 1},
    ],
    "waiting_bookings_have_a_number": [
        {"status": "waiting"},
        {"status": "waiting", "waiting_number": 0},
    ],
}


class TestBookings:
    @pytest.mark.parametrize(("rule", "columns"), each(OFFENCES))
    def test_refuse(self, rows, rule, columns):
        with refused(rule):
            rows.add("bookings", **columns)

    @pytest.mark.parametrize(
        "columns",
        [
            {"seats": 1},
            {"seats": 50},
            {"status": "cancelled"},
            {"status": "waiting", "waiting_number": 1},
        ],
    )
    def test_take(self, rows, columns):
        rows.add("bookings", **columns)

    def test_are_of_an_event_that_is_there(self, rows, nobody):
        with refused("bookings_event_id_fkey"):
            rows.add("bookings", event_id=nobody)

    def test_are_of_a_person_who_is_there(self, rows, nobody):
        with refused("bookings_user_id_fkey"):
            rows.add("bookings", user_id=nobody)

    def test_come_once_from_a_form(self, rows, nobody):
        form = {"event_id": rows.add("events"), "user_id": rows.add("users"), "idempotency_key": nobody}
        rows.add("bookings", **form)
        with refused("a_form_books_once"):
            rows.add("bookings", **form)

    def test_come_from_two_people_with_the_same_key(self, rows, nobody):
        event = rows.add("events")
        for _ in range(2):
            rows.add("bookings", event_id=event, idempotency_key=nobody)

    def test_are_several_for_a_person_without_a_key(self, rows):
        facts = {"event_id": rows.add("events"), "user_id": rows.add("users")}
        rows.add("bookings", **facts)
        rows.add("bookings", **facts)


class TestTheLineOfAnEvent:
    def test_gives_no_number_twice(self, rows):
        event = rows.add("events")
        rows.add("bookings", event_id=event, status="waiting", waiting_number=7)
        with refused("nobody_shares_a_waiting_number"):
            rows.add("bookings", event_id=event, status="waiting", waiting_number=7)

    def test_has_numbers_of_its_own(self, rows):
        for _ in range(2):
            rows.add("bookings", status="waiting", waiting_number=7)

    def test_gives_a_number_back_with_the_place(self, rows):
        event = rows.add("events")
        first = rows.add("bookings", event_id=event, status="waiting", waiting_number=7)
        rows.do("UPDATE bookings SET status = 'cancelled', waiting_number = NULL WHERE id = %s", first)
        rows.add("bookings", event_id=event, status="waiting", waiting_number=7)


class TestTheCapOfAPerson:
    @pytest.fixture
    def event(self, rows):
        return rows.add("events", max_seats_per_person=4, total_slots=100)

    @pytest.fixture
    def person(self, rows):
        return rows.add("users")

    def test_counts_confirmed_and_waiting_seats(self, rows, event, person):
        rows.add("bookings", event_id=event, user_id=person, seats=2)
        rows.add("bookings", event_id=event, user_id=person, seats=2, status="waiting", waiting_number=1)
        with refused("nobody_holds_more_seats_than_allowed"):
            rows.add("bookings", event_id=event, user_id=person, seats=1)

    def test_counts_no_cancelled_seats(self, rows, event, person):
        rows.add("bookings", event_id=event, user_id=person, seats=50, status="cancelled")
        rows.add("bookings", event_id=event, user_id=person, seats=4)

    def test_counts_each_person_and_each_event_apart(self, rows, event, person):
        rows.add("bookings", event_id=event, user_id=person, seats=4)
        rows.add("bookings", event_id=event, seats=4)
        rows.add("bookings", user_id=person, seats=4)

    def test_holds_for_two_bookings_in_one_statement(self, rows, event, person):
        with refused("nobody_holds_more_seats_than_allowed"):
            rows.do(
                "INSERT INTO bookings (event_id, user_id, seats, status)"
                " SELECT %s, %s, 3, 'confirmed' FROM generate_series(1, 2)",
                event,
                person,
            )

    def test_holds_when_a_booking_grows(self, rows, event, person):
        booking = rows.add("bookings", event_id=event, user_id=person, seats=4)
        with refused("nobody_holds_more_seats_than_allowed"):
            rows.do("UPDATE bookings SET seats = 5 WHERE id = %s", booking)

    def test_holds_when_a_cancelled_booking_comes_back(self, rows, event, person):
        booking = rows.add("bookings", event_id=event, user_id=person, seats=3, status="cancelled")
        rows.add("bookings", event_id=event, user_id=person, seats=3)
        with refused("nobody_holds_more_seats_than_allowed"):
            rows.do("UPDATE bookings SET status = 'confirmed' WHERE id = %s", booking)

    def test_holds_when_a_booking_is_given_to_somebody_else(self, rows, event, person):
        rows.add("bookings", event_id=event, user_id=person, seats=3)
        other = rows.add("bookings", event_id=event, seats=3)
        with refused("nobody_holds_more_seats_than_allowed"):
            rows.do("UPDATE bookings SET user_id = %s WHERE id = %s", person, other)

    def test_lets_who_holds_more_already_be_promoted_and_give_back(self, rows, event, person):
        booking = rows.add(
            "bookings", event_id=event, user_id=person, seats=4, status="waiting", waiting_number=1
        )
        rows.do("UPDATE events SET max_seats_per_person = 1 WHERE id = %s", event)
        rows.do("UPDATE bookings SET status = 'confirmed', waiting_number = NULL WHERE id = %s", booking)
        rows.do("UPDATE bookings SET seats = 3 WHERE id = %s", booking)
        with refused("nobody_holds_more_seats_than_allowed"):
            rows.do("UPDATE bookings SET seats = 4 WHERE id = %s", booking)

    def test_lets_seats_pass_from_one_booking_to_another_in_one_statement(self, rows, event, person):
        rows.add("bookings", event_id=event, user_id=person, seats=3)
        rows.add("bookings", event_id=event, user_id=person, seats=1)
        rows.do("UPDATE bookings SET seats = 4 - seats WHERE user_id = %s", person)
