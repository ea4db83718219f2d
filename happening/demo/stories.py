"""What happens besides the crowd: to Uma, whose pages the demo shows, and to the events themselves."""

from datetime import timedelta

from bookings import services
from happening.demo import crowd
from happening.demo.stage import Stage

UMA, OTTO = "uma@example.test", "otto@acme.test"
AFTER = 0.85  # when the crowd has come and gone


def in_the_hall(stage: Stage) -> None:
    """Uma has four seats in the middle of the Circle."""
    circle = stage.event.seating.sections[1]
    first = circle.rows[3].first + 20
    stage.book(stage.cast[UMA], stage.moment(0.01), seats=4, seat_nos=range(first, first + 4), name="uma")
    crowd.come(stage)


def attending(stage: Stage) -> None:
    stage.book(stage.cast[UMA], stage.moment(0.2), seats=1, name="uma")
    crowd.come(stage)


def passed(stage: Stage) -> None:
    """Uma waits for four seats; two become free, and a party of two behind her gets them: the fill rule."""
    seated = crowd.come(stage)
    stage.book(stage.cast[UMA], stage.moment(AFTER), seats=4, name="uma")
    for number, seats in enumerate((3, 2, 2, 1)):
        guest = stage.guests[number - 4]
        stage.book(guest, stage.moment(AFTER + 0.01 * (number + 1)), seats=seats, name=f"behind {number}")
    leaving = next(booking for booking in seated if booking.seats == 2)
    stage.cancel(leaving, stage.moment(0.95))


def promoted(stage: Stage) -> None:
    """Uma is first in line, and somebody gives a seat back."""
    seated = crowd.come(stage)
    stage.book(stage.cast[UMA], stage.moment(AFTER), seats=1, name="uma")
    for number in range(3):
        stage.book(stage.guests[number], stage.moment(0.9), seats=1, name=f"behind {number}")
    leaving = next(booking for booking in seated if booking.seats == 1)
    stage.cancel(leaving, stage.moment(0.95))


def out_of_turn(stage: Stage) -> None:
    """The first in line are four; two seats are free; the organizer gives them to two, and says why."""
    seated = crowd.come(stage)
    stage.book(stage.guests[1], stage.moment(AFTER), seats=4, name="four")
    interpreter = stage.book(stage.guests[2], stage.moment(0.87), seats=2, name="interpreter")
    stage.book(stage.guests[3], stage.moment(0.88), seats=2, name="behind")
    leaving = next(booking for booking in seated if booking.seats == 2)
    stage.cancel(leaving, stage.moment(0.92))
    reason = "The sign language interpreter of the evening and her colleague."
    stage.promote(interpreter, stage.moment(0.94), by=stage.cast[OTTO], reason=reason)


def called_off(stage: Stage) -> None:
    stage.book(stage.cast[UMA], stage.moment(0.3), seats=1, name="uma")
    crowd.come(stage)
    at = stage.moment(0.97)
    services.cancel_event(
        event_id=stage.event.pk,
        reason="Our instructor has broken her wrist. A new date is in the making and will be announced here.",
        actor_id=stage.cast[OTTO].pk,
        now=at,
    )
    services.run_jobs(now=at + timedelta(seconds=5))


def moved(stage: Stage) -> None:
    """Announced for the evening before, in a smaller room; see `making.facts_at_first`."""
    stage.book(stage.cast[UMA], stage.moment(0.4), seats=2, name="uma")
    crowd.come(stage)
    planned, at = stage.planned, stage.moment(0.9)
    services.reschedule(
        event_id=stage.event.pk,
        event_date=planned.starts_at,
        ends_at=planned.ends_at,
        time_zone=planned.zone.key,
        place=planned.place,
        online_url=stage.event.online_url,
        actor_id=stage.cast[OTTO].pk,
        now=at,
    )
    services.run_jobs(now=at + timedelta(minutes=3))  # when the changes have come to rest


def changed_mind(stage: Stage) -> None:
    booking = stage.book(stage.cast[UMA], stage.moment(0.1), seats=2, name="uma")
    crowd.come(stage)
    stage.cancel(booking, stage.moment(0.9))


STORIES = {
    "in-the-hall": in_the_hall,
    "attending": attending,
    "attended": attending,
    "passed": passed,
    "promoted": promoted,
    "override": out_of_turn,
    "called-off": called_off,
    "moved": moved,
    "changed-mind": changed_mind,
    None: crowd.come,
}
