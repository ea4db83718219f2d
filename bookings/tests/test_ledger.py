"""What is written, is written set-wise and only over what was read."""

from dataclasses import replace

import pytest
from django.db import OperationalError

from bookings import waitlist
from bookings.ledger import ChangedUnderneath
from bookings.models import Booking, BookingSeat
from tests.truth import assert_sound, deeds_of, last_line_of, line_of, seats_of

pytestmark = pytest.mark.django_db


class TestSomebodyWritingWithoutTheLock:
    """Nothing of ours is written over theirs: the transaction fails and can be tried again."""

    def test_is_found_out_by_the_version_of_a_booking(self, event, book, cancel, monkeypatch):
        all_seats = book(event, 10)
        waiting = book(event, 2, or_wait=True)
        read = waitlist.line

        def stale(event, *, free):
            parties, more = read(event, free=free)
            Booking.objects.filter(pk=waiting.pk).update(version=7)
            return [replace(party, version=6) for party in parties], more

        monkeypatch.setattr(waitlist, "line", stale)
        with pytest.raises(ChangedUnderneath):
            cancel(all_seats)
        assert (line_of(event.pk), len(seats_of(all_seats))) == ([(1, 2)], 10)

    def test_is_found_out_by_a_seat_that_is_gone(self, event, book, cancel, monkeypatch):
        booking = book(event, 2)
        monkeypatch.setattr("bookings.box_office.BoxOffice.seats_of", lambda office, booking: [1, 2, 3])
        with pytest.raises(ChangedUnderneath):
            cancel(booking)
        assert seats_of(booking) == [1, 2]
        assert_sound(event.pk)

    def test_counts_as_trouble_of_the_database(self):
        assert issubclass(ChangedUnderneath, OperationalError)


class TestWhoBooksForSomebodyElse:
    def test_is_written_down_as_the_organizer(self, event, book, organizer):
        booking = book(event, 2, actor_id=organizer.pk)
        assert booking.user_id != organizer.pk
        assert last_line_of(booking)["by"] == "organizer"

    def test_is_the_person_where_it_is_the_person(self, event, book, organizer):
        assert last_line_of(book(event, 2, user=organizer, actor_id=organizer.pk))["by"] == "person"


class TestSeatsGivenBack:
    def test_keep_their_row_and_can_be_taken_again_by_the_same_booking(self, event, book, modify):
        booking = book(event, seat_nos=[4])
        modify(booking, seat_nos=[5])
        modify(booking, seat_nos=[4])
        rows = BookingSeat.objects.filter(booking=booking).order_by("id")
        assert [(row.seat_no, row.status) for row in rows] == [
            (4, "cancelled"),
            (5, "cancelled"),
            (4, "booked"),
        ]
        assert deeds_of(booking) == ["created", "modified", "modified"]
        assert_sound(event.pk)
