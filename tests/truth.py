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
        runs = list(
            FreeRun.objects.filter(event=event).order_by("last_seat").values_list("first_seat", "last_seat")
        )
        assert runs == list(free_runs.true_runs(event)), "the free runs are not the seats that are free"

    held = Counter(seat.booking_id for seat in booked)
    for booking in bookings:
        expected = booking.seats if booking.is_confirmed else 0
        assert held[booking.pk] == expected, (
            f"a {booking.status} booking of {booking.seats} holds {held[booking.pk]}"
        )

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

    lines = Counter(BookingHistory.objects.filter(event_id=event_id).values_list("booking_id", flat=True))
    for booking in bookings:
        assert lines[booking.pk] == booking.version, "history does not tell of each version"


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


def line_of(event_id) -> list[tuple[int, int]]:
    """Who waits, in order: waiting number and seats."""
    waiting = Booking.objects.waiting().filter(event_id=event_id).order_by("waiting_number")
    return list(waiting.values_list("waiting_number", "seats"))


def deeds_of(booking: Booking) -> list[str]:
    """What history says was done to a booking, oldest first."""
    return list(BookingHistory.objects.of_booking(booking.pk).values_list("action", flat=True))


def last_line_of(booking: Booking) -> dict:
    """The facts of the last thing that was done to a booking."""
    return BookingHistory.objects.of_booking(booking.pk).last().details


def messages_about(booking: Booking) -> list[str]:
    """What its person was told of a booking, oldest first."""
    told = Notification.objects.filter(booking_id=booking.pk).order_by("id")
    return list(told.values_list("type", flat=True))


def last_message_about(booking: Booking) -> dict:
    """The facts of the last message about a booking."""
    return Notification.objects.filter(booking_id=booking.pk).order_by("id").last().payload


# The plainest models of the rules, to compare the quick ones with


def runs_of(free: set[int], blocks: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The runs that a set of free seats makes in blocks."""
    runs = []
    for first, last in blocks:
        for seat in range(first, last + 1):
            if seat in free:
                if runs and runs[-1][1] == seat - 1 and seat > first:
                    runs[-1] = (runs[-1][0], seat)
                else:
                    runs.append((seat, seat))
    return runs


def by_the_rule(free: set[int], blocks: list[tuple[int, int]], party: int) -> list[int] | None:
    """The seats that a party must get: the lowest run that holds it, else the lowest seats there are."""
    for first, last in runs_of(free, blocks):
        if last - first + 1 >= party:
            return list(range(first, first + party))
    return sorted(free)[:party] if party <= len(free) else None


def next_in_line(line: list[tuple[int, int]], *, free: int, house: int, strict: bool) -> int | None:
    """Which waiting number is to be confirmed next, if any; `line` holds numbers and seats, in any order."""
    for number, seats in sorted(line):
        if seats > house:
            continue
        if seats <= free:
            return number
        if strict:
            return None
    return None
