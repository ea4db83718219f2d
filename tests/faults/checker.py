"""What became of a rush, judged by the database and the crowd's own log alone.

Each function returns its complaints as sentences, so that a control can ask for the very one that it expects.
"""

import time
from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from django.db import connection

from bookings.models import Booking
from events.models import Event
from tests import truth
from tests.faults.fairness import passed_over, seats_refused_for_long
from tests.faults.servers import FaultyValkey
from tests.faults.visitor import Line

MENDED_WITHIN = 60.0  # seconds after a fault by which what is derived must be right again


def complaints(event_id: UUID, lines: Iterable[Line]) -> list[str]:
    """Everything that is wrong with an event and with what people were told of it."""
    lines = [line for line in lines if line.event == str(event_id)]
    return [
        *answers_that_are_not_true(event_id, lines),
        *bookings_nobody_asked_for(event_id, lines),
        *what_was_given_back_and_stands(event_id, lines),
        *seats_sold_twice(event_id),
        *passed_over(event_id),
        *seats_refused_for_long(event_id, lines),
        *unsound(event_id),
    ]


def answers_that_are_not_true(event_id: UUID, lines: list[Line]) -> list[str]:
    """Each form has one answer however often it was sent, and the database agrees with it."""
    found = []
    bookings = {
        (str(one.user_id), str(one.idempotency_key)): one for one in Booking.objects.filter(event_id=event_id)
    }
    given_back = {line.booking for line in lines if line.action == "cancel"}
    answers: dict[tuple[str, str], list[Line]] = defaultdict(list)
    for line in lines:
        if line.is_final and line.action == "book":
            answers[line.person, line.key].append(line)
    for form, told in answers.items():
        booking = bookings.get(form)
        promised = {line.booking for line in told if line.status == 303}
        last = max(told, key=lambda line: line.ended)
        if len(promised) > 1:
            found.append(f"form {form[1]} was answered with {len(promised)} bookings")
        if promised and booking is None:
            found.append(f"booking {promised.pop()} was promised and is not there")
        elif promised and promised != {str(booking.pk)}:
            found.append(f"form {form[1]} was answered with booking {promised} and made {booking.pk}")
        elif promised and (
            booking.seats != last.seats or (booking.is_cancelled and str(booking.pk) not in given_back)
        ):
            found.append(f"booking {booking.pk} is not what was promised")
        elif promised and booking.is_waiting and not last.or_wait:
            found.append(f"booking {booking.pk} waits, and nobody agreed to wait")
        if not promised and booking is not None:
            found.append(f"form {form[1]} was refused with {last.status} and made booking {booking.pk}")
        if strange := {line.status for line in told} - {303, 409}:
            found.append(f"form {form[1]} was answered with {strange}")
    return found


def what_was_given_back_and_stands(event_id: UUID, lines: list[Line]) -> list[str]:
    """Who was told that their booking is cancelled has none."""
    cancelled = {line.booking for line in lines if line.action == "cancel" and line.status == 303}
    standing = Booking.objects.active().filter(event_id=event_id, pk__in=cancelled)
    return [f"booking {booking.pk} was given back and stands" for booking in standing]


def bookings_nobody_asked_for(event_id: UUID, lines: list[Line]) -> list[str]:
    asked = {(line.person, line.key) for line in lines}
    return [
        f"booking {booking.pk} was asked for by nobody"
        for booking in Booking.objects.filter(event_id=event_id)
        if (str(booking.user_id), str(booking.idempotency_key)) not in asked
    ]


def seats_sold_twice(event_id: UUID) -> list[str]:
    """Counted from the rows, as if no index forbade it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT seat_no, count(*) FROM booking_seats WHERE event_id = %s AND status = 'booked' "
            "GROUP BY seat_no HAVING count(*) > 1",
            [event_id],
        )
        return [f"seat {seat} is sold {times} times" for seat, times in cursor.fetchall()]


def unsound(event_id: UUID) -> list[str]:
    """Counters, free runs, the line, history and messages beside the rows."""
    found = []
    for check in (truth.assert_sound, truth.assert_told_of_every_change):
        try:
            check(event_id)
        except AssertionError as complaint:
            found.append(str(complaint).splitlines()[0])
    return found


def wrongly_turned_away(event_id: UUID, lines: Iterable[Line]) -> list[str]:
    """For an event that had room for all who came and gave no seat back: a 409 is wrong, and may only be met
    for as long as the counters may be."""
    event = Event.objects.get(pk=event_id)
    lines = [line for line in lines if line.event == str(event_id)]
    refused = [line for line in lines if line.status == 409 and line.seats <= event.available_slots]
    if not refused:
        return []
    lasted = max(line.ended for line in refused) - min(line.began for line in refused)
    if lasted <= MENDED_WITHIN:
        return []
    return [f"people were turned away from free seats for {lasted:.0f} s"]


def counter_complaints(event_id: UUID, valkey: FaultyValkey, *, may_be_missing: bool = False) -> list[str]:
    """What Redis says must be true. Only where Redis itself was broken may it say nothing: PostgreSQL is
    asked then, and the next booking begins the counter."""
    free = Event.objects.get(pk=event_id).available_slots
    counter = valkey.get(f"event:{event_id}:slots")
    if counter is None:
        return [] if may_be_missing else ["Redis says nothing, though bookings followed"]
    return [] if int(counter) == free else [f"Redis says {counter} seats are free, and {free} are"]


def mirror_complaints(event_id: UUID, valkey: FaultyValkey) -> list[str]:
    """The line as Redis has it must be the line."""
    waiting = Booking.objects.waiting().filter(event_id=event_id).values_list("pk", "waiting_number")
    line = {str(booking): number for booking, number in waiting}
    with valkey.client("seats") as client:
        there = client.zrange(f"event:{event_id}:waitlist", 0, -1, withscores=True)
    mirror = {booking: int(number) for booking, number in there}
    return [] if mirror == line else [f"Redis has {len(mirror)} in line, and there are {len(line)}"]


def wait_until_mended(check, *, seconds: float = MENDED_WITHIN) -> list[str]:
    """The complaints of `check()` that are left after `seconds`; none as soon as there are none."""
    deadline = time.monotonic() + seconds
    while found := check():
        if time.monotonic() > deadline:
            return found
        time.sleep(0.5)
    return []
