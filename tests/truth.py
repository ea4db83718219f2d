"""What must hold of every event at every moment, checked against the rows alone."""

from collections import Counter

from bookings import free_runs
from bookings.models import Booking, BookingHistory, EventTotals, FreeRun
from events.models import Event
from notifications.models import Notification


def assert_sound(event_id) -> None:
    """Fail, saying what is wrong, unless the event's seats, counters, runs, line and records agree."""
    event = Event.objects.get(pk=event_id)
    bookings = list(event.bookings.all())
    booked = list(event.booked_seats.booked().order_by("seat_no"))

    numbers = [seat.seat_no for seat in booked]
    assert len(numbers) == len(set(numbers)), "a seat is sold twice"
    assert all(1 <= number <= event.total_slots for number in numbers), "a seat is not of this house"
    assert event.available_slots == event.total_slots - len(booked), "available_slots is not what is left"

    if FreeRun.objects.filter(event=event).exists() or booked:
        runs = list(FreeRun.objects.filter(event=event).order_by("last_seat").values_list("first_seat", "last_seat"))
        assert runs == list(free_runs.true_runs(event)), "the free runs are not the seats that are free"

    held = Counter(seat.booking_id for seat in booked)
    for booking in bookings:
        expected = booking.seats if booking.is_confirmed else 0
        assert held[booking.pk] == expected, f"a {booking.status} booking of {booking.seats} holds {held[booking.pk]}"

    waiting = [booking.waiting_number for booking in bookings if booking.is_waiting]
    assert len(waiting) == len(set(waiting)), "a waiting number stands twice"
    assert all(number <= event.last_waiting_number for number in waiting), "a number was never given out"

    by_person = Counter()
    for booking in bookings:
        if not booking.is_cancelled:
            by_person[booking.user_id] += booking.seats
    assert all(seats <= event.max_seats_per_person for seats in by_person.values()), "somebody holds too much"

    totals = EventTotals.objects.filter(event=event).first()
    if totals:
        status = Counter(booking.status for booking in bookings)
        assert totals.confirmed_bookings == status["confirmed"], "the total of confirmed bookings is wrong"
        assert totals.waiting_bookings == status["waiting"], "the total of waiting bookings is wrong"
        assert totals.cancelled_bookings == status["cancelled"], "the total of cancelled bookings is wrong"

    for booking in bookings:
        lines = BookingHistory.objects.filter(booking_id=booking.pk).count()
        assert lines == booking.version, f"version {booking.version} has {lines} lines of history"


def assert_told_of_every_change(event_id) -> None:
    """One message for each line of history, except that a cancelled event tells each person once."""
    lines = Counter()
    told_of_cancelling = set()
    for line in BookingHistory.objects.filter(event_id=event_id):
        if line.details.get("reason") == "event_cancelled":
            told_of_cancelling.add(line.user_id)
        else:
            lines[line.booking_id] += 1
    about_bookings = Counter(
        Notification.objects.filter(event_id=event_id)
        .exclude(type__startswith="event_")
        .values_list("booking_id", flat=True)
    )
    assert about_bookings == lines, "history and messages do not agree"
    cancelled = Notification.objects.filter(event_id=event_id, type="event_cancelled")
    assert set(cancelled.values_list("user_id", flat=True)) == told_of_cancelling
    assert cancelled.count() == len(told_of_cancelling)


def seats_of(booking: Booking) -> list[int]:
    return list(booking.booked_seats.booked().order_by("seat_no").values_list("seat_no", flat=True))
