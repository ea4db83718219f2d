import inspect
import re

import pytest
from django.utils import timezone

from bookings import errors
from bookings.models import Booking

FACTS = {
    "opens_at": timezone.now(),
    "largest": 4,
    "seat_no": 7,
    "limit": 4,
    "held": 2,
    "asked": 3,
    "free": 1,
    "waitlist": True,
    "seat_nos": [3, 1],
    "booking": Booking(seats=2, status="confirmed"),
    "booked": 7,
    "highest": 9,
    "movable": True,
    "seats": 12,
    "first_year": 1900,
    "last_year": 2200,
    "because": "The plan needs “sections”.",
    "plan": 80,
    "on_sale": 100,
    "was": "Stalls, row A, seat 3",
    "becomes": "Stalls, row B, seat 1",
}


def reasons():
    return [
        error
        for _, error in inspect.getmembers(errors, inspect.isclass)
        if issubclass(error, errors.BookingRefused) and error is not errors.BookingRefused
    ]


@pytest.mark.parametrize("reason", reasons())
class TestEveryReason:
    def test_is_a_sentence_for_the_person(self, reason):
        sentence = str(self.refusal(reason))
        assert sentence[0].isupper()
        assert sentence.endswith(".")
        assert "%" not in sentence
        assert "None" not in sentence

    def test_carries_the_facts_it_was_given(self, reason):
        refusal = self.refusal(reason)
        for name in inspect.signature(reason).parameters:
            assert hasattr(refusal, name)

    def test_speaks_to_an_organizer_of_the_person_and_not_of_themselves(self, reason):
        sentence = self.refusal(reason).for_organizer
        assert not re.search(r"\b(you|your)\b", sentence, re.IGNORECASE)
        assert sentence[0].isupper()
        assert sentence.endswith(".")
        assert "%" not in sentence

    @staticmethod
    def refusal(reason):
        names = [name for name in inspect.signature(reason).parameters if name in FACTS]
        return reason(**{name: FACTS[name] for name in names})


class TestNumbers:
    def test_one_seat_left_is_said_in_the_singular(self):
        left = errors.NotEnoughSeats(asked=3, free=1, waitlist=True)
        assert str(left) == "There is only 1 seat left that you could book now."

    def test_several_are_said_in_the_plural(self):
        assert "3 seats" in str(errors.NotEnoughSeats(asked=4, free=3, waitlist=True))

    def test_none_is_said_without_a_number(self):
        assert "0" not in str(errors.NotEnoughSeats(asked=4, free=0, waitlist=True))

    def test_seats_taken_are_named_in_order(self):
        assert errors.SeatsTaken([9, 2]).seat_nos == [2, 9]

    def test_capacity_says_what_stands_in_the_way(self):
        assert "Seat 9" in str(errors.CapacityTaken(booked=3, highest=9, movable=True))
        assert "3 seats are booked" in str(errors.CapacityTaken(booked=3, highest=9, movable=False))
