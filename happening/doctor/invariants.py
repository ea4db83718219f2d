"""What must be true of the rows, counted from the rows themselves, one statement each.

HELD is true at every moment, by constraints, triggers and locks: one that is broken is a fault, or somebody
wrote by hand while the guards were off. KEPT is made true by the timetable, some minutes after it should be.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection

from happening.doctor.finding import Finding
from happening.doctor.look import MIGRATIONS, POSTGRESQL, Look
from happening.doctor.words import several

SECONDS = 30.0
COUNTED = 1_000  # where a count ends
SHOWN = 3
NAMED = 20  # rows that a command of the mend names
RECONCILE = "Run `python manage.py reconcile_slots {ids}`."
BY_HAND = "Read its history in the admin and correct it there: cancel it, or change its seats. {ids}"

BOOKED = "SELECT event_id, count(*) AS seats FROM booking_seats WHERE status = 'booked' GROUP BY event_id"


@dataclass(frozen=True)
class Invariant:
    """Args:
    true: what is true, told where it is.
    broken: what is not, after "3 events".
    rows: a query for the ids of the rows that break it.
    """

    name: str
    true: str
    thing: str
    broken: str
    rows: str
    mend: str

    def look(self) -> Iterator[Finding]:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT DISTINCT id::text FROM ({self.rows}) AS found LIMIT {COUNTED}")  # noqa: S608
            ids = sorted(pk for [pk] in cursor.fetchall())
        if not ids:
            yield Finding(self.name, self.true)
            return
        at_least = "at least " if len(ids) == COUNTED else ""
        shown = ", ".join(ids[:SHOWN]) + (", …" if len(ids) > SHOWN else "")
        named = " ".join(ids) if len(ids) <= NAMED else "--all"
        quoted = ", ".join(f"'{pk}'" for pk in ids[:NAMED])
        yield Finding(
            self.name,
            f"{at_least}{several(len(ids), self.thing)} {self.broken}: {shown}",
            self.mend.format(ids=named, quoted=quoted),
        )


HELD = (
    Invariant(
        name="Seats",
        true="no seat is booked twice",
        thing="event",
        broken="with a seat that is booked twice",
        rows="SELECT event_id AS id FROM booking_seats WHERE status = 'booked'"
        " GROUP BY event_id, seat_no HAVING count(*) > 1",
        mend="Stop the web, decide in the admin whose seat it is and cancel the other booking, then mend the"
        " index idx_booking_seats_unique. {ids}",
    ),
    Invariant(
        name="House",
        true="every booked seat is in the house",
        thing="event",
        broken="with a booked seat beyond the last",
        rows="SELECT events.id FROM booking_seats JOIN events ON events.id = event_id"
        " WHERE booking_seats.status = 'booked' AND seat_no > total_slots",
        mend="Raise the event's capacity in the admin, or give those people other seats. {ids}",
    ),
    Invariant(
        name="Seats left",
        true="each event's seats left are its seats less those booked",
        thing="event",
        broken="whose available_slots are not the seats less those booked",
        rows=f"SELECT id FROM events LEFT JOIN ({BOOKED}) AS booked ON event_id = id"  # noqa: S608
        " WHERE available_slots <> total_slots - coalesce(seats, 0)",
        mend=RECONCILE,
    ),
    Invariant(
        name="Free runs",
        true="each event's free runs are the seats that nobody has",
        thing="event",
        broken="whose free runs are not its seats less those booked",
        rows="SELECT id FROM events JOIN (SELECT event_id, sum(last_seat - first_seat + 1) AS free"  # noqa: S608
        f" FROM event_free_runs GROUP BY event_id) AS runs ON runs.event_id = id"
        f" LEFT JOIN ({BOOKED}) AS booked ON booked.event_id = id"
        " WHERE free <> total_slots - coalesce(seats, 0)",
        mend=RECONCILE,
    ),
    Invariant(
        name="Runs and seats",
        true="no free run holds a booked seat",
        thing="event",
        broken="with a free run that holds a booked seat",
        rows="SELECT runs.event_id AS id FROM event_free_runs AS runs JOIN booking_seats AS seats"
        " ON seats.event_id = runs.event_id AND seat_no BETWEEN first_seat AND last_seat"
        " WHERE status = 'booked'",
        mend="DELETE FROM event_free_runs WHERE event_id IN ({quoted}); -- the next booking makes them anew",
    ),
    Invariant(
        name="Parties",
        true="a confirmed booking holds the seats it says, another none",
        thing="booking",
        broken="not holding the seats it says",
        rows="SELECT id FROM bookings LEFT JOIN (SELECT booking_id, count(*) AS held FROM booking_seats"
        " WHERE status = 'booked' GROUP BY booking_id) AS rows ON booking_id = id"
        " WHERE coalesce(held, 0) <> CASE WHEN status = 'confirmed' THEN seats ELSE 0 END",
        mend=BY_HAND,
    ),
    Invariant(
        name="Line",
        true="who waits has a number of their own",
        thing="event",
        broken="with people in line who share a number, or have none",
        rows="SELECT event_id AS id FROM bookings WHERE status = 'waiting'"
        " GROUP BY event_id, waiting_number HAVING count(*) > 1 OR waiting_number IS NULL",
        mend="Stop the web, give each its number in the order of created_at, then mend the index"
        " nobody_shares_a_waiting_number. {ids}",
    ),
    Invariant(
        name="Totals",
        true="each event's totals count its bookings",
        thing="event",
        broken="whose totals do not count its bookings",
        rows="""
            SELECT events.id FROM events LEFT JOIN event_totals AS kept ON kept.event_id = events.id
            LEFT JOIN (
                SELECT event_id, count(*) FILTER (WHERE status = 'confirmed') AS confirmed,
                    count(*) FILTER (WHERE status = 'waiting') AS waiting,
                    count(*) FILTER (WHERE status = 'cancelled') AS cancelled,
                    coalesce(sum(seats) FILTER (WHERE status = 'waiting'), 0) AS waiting_seats
                FROM bookings GROUP BY event_id
            ) AS counted ON counted.event_id = events.id
            WHERE (coalesce(confirmed, 0), coalesce(waiting, 0), coalesce(cancelled, 0),
                   coalesce(counted.waiting_seats, 0))
               <> (coalesce(confirmed_bookings, 0), coalesce(waiting_bookings, 0),
                   coalesce(cancelled_bookings, 0), coalesce(kept.waiting_seats, 0))
        """,
        mend="BEGIN; ALTER TABLE event_totals DISABLE TRIGGER event_totals_are_derived;"
        " INSERT INTO event_totals (event_id, confirmed_bookings, waiting_bookings, cancelled_bookings,"
        " waiting_seats) SELECT events.id, count(*) FILTER (WHERE bookings.status = 'confirmed'),"
        " count(*) FILTER (WHERE bookings.status = 'waiting'),"
        " count(*) FILTER (WHERE bookings.status = 'cancelled'),"
        " coalesce(sum(seats) FILTER (WHERE bookings.status = 'waiting'), 0)"
        " FROM events LEFT JOIN bookings ON event_id = events.id WHERE events.id IN ({quoted})"
        " GROUP BY events.id ON CONFLICT (event_id) DO UPDATE SET"
        " confirmed_bookings = excluded.confirmed_bookings, waiting_bookings = excluded.waiting_bookings,"
        " cancelled_bookings = excluded.cancelled_bookings, waiting_seats = excluded.waiting_seats;"
        " ALTER TABLE event_totals ENABLE TRIGGER event_totals_are_derived; COMMIT;",
    ),
    Invariant(
        name="Messages",
        true="each message's state and moments agree",
        thing="message",
        broken="whose state and moments do not agree",
        rows="SELECT id FROM notifications WHERE (status = 'delivered') <> (delivered_at IS NOT NULL)"
        " OR (status = 'failed') <> (failed_at IS NOT NULL) OR (status = 'sent' AND sent_at IS NULL)",
        mend="UPDATE notifications SET status = 'pending', sent_at = NULL, delivered_at = NULL,"
        " failed_at = NULL, lease_until = NULL WHERE id IN ({quoted}); -- they are sent, perhaps once more",
    ),
)

KEPT = (
    Invariant(
        name="Events",
        true="none is upcoming that has begun",
        thing="event",
        broken="still upcoming though begun more than five minutes ago",
        rows="SELECT id FROM events WHERE status = 'upcoming' AND published_at IS NOT NULL"
        " AND event_date < now() - interval '5 minutes'",
        mend="Run `python manage.py advance_events`, and see that a worker and beat run.",
    ),
    Invariant(
        name="Closed lines",
        true="nobody waits for what cannot be booked any more",
        thing="event",
        broken="where people still wait more than five minutes after booking closed",
        rows="SELECT events.id FROM events JOIN event_totals ON event_id = events.id"
        " WHERE waiting_bookings > 0 AND status <> 'cancelled'"
        " AND coalesce(booking_closes_at, event_date) < now() - interval '5 minutes'",
        mend="Run `python manage.py close_waitlists`, and see that a worker and beat run.",
    ),
    Invariant(
        name="Cancelled",
        true="of cancelled events all bookings are cancelled, or will be",
        thing="cancelled event",
        broken="with bookings that stand and no job that cancels them",
        rows="SELECT events.id FROM events JOIN event_totals ON event_totals.event_id = events.id"
        " WHERE status = 'cancelled' AND confirmed_bookings + waiting_bookings > 0 AND NOT EXISTS"
        " (SELECT FROM event_jobs WHERE event_jobs.event_id = events.id AND finished_at IS NULL"
        " AND kind = 'cancel_bookings')",
        mend="INSERT INTO event_jobs (event_id, kind, details, due_at)"
        " SELECT id, 'cancel_bookings', '{{\"by\": null}}', now() FROM events WHERE id IN ({quoted});",
    ),
    Invariant(
        name="Event jobs",
        true="none has been due for long",
        thing="event",
        broken="with work that has been due for more than fifteen minutes",
        rows="SELECT event_id AS id FROM event_jobs WHERE finished_at IS NULL"
        " AND due_at < now() - interval '15 minutes'",
        mend="See that a worker and beat run, and look in the worker's log for “The job … failed”. {ids}",
    ),
)


def looks(invariants: tuple[Invariant, ...]) -> tuple[Look, ...]:
    return tuple(
        Look(one.name, one.look, needs=(POSTGRESQL, MIGRATIONS), seconds=SECONDS) for one in invariants
    )
