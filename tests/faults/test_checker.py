"""Controls: what the checker says where a promise is broken. Each fault is made in the rows or in the log."""

from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from bookings.models import Booking, BookingHistory
from tests.factories import EventFactory
from tests.faults.checker import (
    complaints,
    counter_complaints,
    mirror_complaints,
    wait_until_mended,
    wrongly_turned_away,
)
from tests.faults.crowd import Crowd
from tests.faults.programs import Site
from tests.faults.visitor import Log, Visitor


@pytest.fixture(scope="module")
def night(postgres, valkey, rabbitmq, sessions, tmp_path_factory):
    """An event that was booked by twenty, and what they were told. Nothing is wrong with it."""
    directory = tmp_path_factory.mktemp("night")
    site, log = Site(directory, {}), Log(directory / "crowd.jsonl")
    event = EventFactory(total_slots=40, waitlist=False)
    try:
        people = [Visitor(person, session, log) for person, session in sessions[:20]]
        Crowd(people, event.pk, [site.web().address], parties=[1, 2] * 10).join()
    finally:
        site.stop()
    assert complaints(event.pk, log.lines) == []
    return event, log.lines


class TestTheChecker:
    @pytest.fixture
    def behind_the_back(self):
        """The rows as they would be without triggers and keys; afterwards as they were."""
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            yield cursor
            transaction.set_rollback(True)

    def test_misses_a_booking_that_is_gone(self, night, behind_the_back):
        event, lines = night
        booking = Booking.objects.filter(event_id=event.pk).first()
        for table, column in (("booking_seats", "booking_id"), ("bookings", "id")):
            behind_the_back.execute(f"DELETE FROM {table} WHERE {column} = %s", [booking.pk])
        assert f"booking {booking.pk} was promised and is not there" in complaints(event.pk, lines)

    def test_sees_a_seat_that_is_sold_twice(self, night, behind_the_back):
        event, lines = night
        one, other = Booking.objects.filter(event_id=event.pk)[:2]
        behind_the_back.execute("DROP INDEX idx_booking_seats_unique")
        behind_the_back.execute(
            "UPDATE booking_seats "
            "SET seat_no = (SELECT min(seat_no) FROM booking_seats WHERE booking_id = %s) "
            "WHERE id = (SELECT id FROM booking_seats WHERE booking_id = %s LIMIT 1)",
            [one.pk, other.pk],
        )
        assert any("is sold 2 times" in complaint for complaint in complaints(event.pk, lines))

    def test_sees_a_counter_that_is_off(self, night, behind_the_back):
        event, lines = night
        behind_the_back.execute(
            "UPDATE events SET available_slots = available_slots + 1 WHERE id = %s", [event.pk]
        )
        assert "available_slots is not what is left" in complaints(event.pk, lines)

    def test_sees_a_free_run_that_is_off(self, night, behind_the_back):
        event, lines = night
        behind_the_back.execute("DELETE FROM event_free_runs WHERE event_id = %s", [event.pk])
        assert any("free runs" in complaint for complaint in complaints(event.pk, lines))

    def test_misses_a_message(self, night, behind_the_back):
        event, lines = night
        behind_the_back.execute(
            "DELETE FROM notifications WHERE id = (SELECT id FROM notifications WHERE event_id = %s LIMIT 1)",
            [event.pk],
        )
        assert "history and messages do not agree" in complaints(event.pk, lines)

    def test_misses_a_line_of_history(self, night, behind_the_back):
        event, lines = night
        line = BookingHistory.objects.filter(event_id=event.pk).first()
        behind_the_back.execute("DELETE FROM booking_history WHERE id = %s", [line.pk])
        assert "history does not tell of each version" in complaints(event.pk, lines)

    def test_sees_two_answers_to_one_form(self, night):
        event, lines = night
        other = replace(lines[0], booking=str(uuid4()))
        assert f"form {lines[0].key} was answered with 2 bookings" in complaints(event.pk, [*lines, other])

    def test_sees_a_refusal_of_what_was_booked(self, night):
        event, (first, *others) = night
        refused = replace(first, status=409, booking=None)
        assert any(
            "was refused with 409 and made" in each for each in complaints(event.pk, [refused, *others])
        )

    def test_sees_a_booking_that_nobody_asked_for(self, night):
        event, (first, *others) = night
        assert f"booking {first.booking} was asked for by nobody" in complaints(event.pk, others)

    def test_sees_people_turned_away_for_too_long(self, night):
        event, lines = night
        begin = replace(lines[0], status=409, booking=None, seats=0)
        late = replace(begin, began=begin.began + 61, ended=begin.ended + 61)
        assert wrongly_turned_away(event.pk, [begin, late])
        assert not wrongly_turned_away(event.pk, [begin, replace(begin, ended=begin.ended + 30)])

    def test_sees_a_newcomer_who_passed_the_line(self, night, behind_the_back):
        event, lines = night
        behind_the_back.execute(
            "INSERT INTO booking_history (id, booking_id, event_id, action, details) "
            "VALUES (%s, %s, %s, 'created', %s)",
            [UUID(int=1), uuid4(), event.pk, '{"status": "waiting", "waiting_number": 1, "seats": 1}'],
        )
        assert any("was confirmed past a line of 1" in each for each in complaints(event.pk, lines))

    def test_sees_a_booking_that_was_given_back_and_stands(self, night):
        event, lines = night
        given_back = replace(lines[0], action="cancel")
        assert f"booking {lines[0].booking} was given back and stands" in complaints(
            event.pk, [*lines, given_back]
        )

    def test_sees_a_free_seat_that_is_refused_for_long(self, night):
        event, lines = night
        last = max(line.ended for line in lines)
        refused = replace(lines[0], status=409, booking=None, key=str(uuid4()))
        soon = replace(refused, ended=last + 30)
        late = replace(refused, ended=last + 62)
        assert complaints(event.pk, [*lines, soon]) == []
        assert any("when they were refused" in each for each in complaints(event.pk, [*lines, late]))

    def test_sees_a_line_in_redis_that_is_off(self, night, valkey):
        event, _ = night
        with valkey.client("seats") as redis:
            redis.zadd(f"event:{event.pk}:waitlist", {str(uuid4()): 1})
            try:
                assert mirror_complaints(event.pk, valkey) == ["Redis has 1 in line, and there are 0"]
            finally:
                redis.delete(f"event:{event.pk}:waitlist")

    def test_misses_a_counter_where_bookings_followed(self, night, valkey):
        event, _ = night
        with valkey.client("seats") as redis:
            before = redis.getdel(f"event:{event.pk}:slots")
            try:
                assert counter_complaints(event.pk, valkey)
                assert not counter_complaints(event.pk, valkey, may_be_missing=True)
            finally:
                redis.set(f"event:{event.pk}:slots", before)

    def test_sees_a_counter_in_redis_that_is_off(self, night, valkey):
        event, _ = night
        with valkey.client("seats") as redis:
            before = redis.get(f"event:{event.pk}:slots")
            redis.set(f"event:{event.pk}:slots", 7)
            try:
                assert counter_complaints(event.pk, valkey) == ["Redis says 7 seats are free, and 10 are"]
            finally:
                redis.set(f"event:{event.pk}:slots", before) if before else redis.delete(
                    f"event:{event.pk}:slots"
                )


class TestAClaimOfAKilledProcess:
    def test_stays_hidden_where_nobody_reconciles(self, site, make_event, visitors, log, valkey):
        """The control of what `test_killed_web` believes of worker and beat, which do not run here."""
        event = make_event(total_slots=60, waitlist=False)
        doomed, other = site.web("doomed", HAPPENING_CRASH_AT="book:claimed"), site.web("other")
        Crowd(visitors(5), event.pk, [other.address], parties=[1] * 5).join()
        crowd = Crowd(visitors(20), event.pk, [doomed.address, other.address], parties=[1] * 20)
        doomed.wait_until_killed(30)
        crowd.join()
        assert complaints(event.pk, log.lines) == []
        assert wait_until_mended(lambda: counter_complaints(event.pk, valkey), seconds=3) != []
        call_command("reconcile_slots", verbosity=0)
        assert counter_complaints(event.pk, valkey) == []
