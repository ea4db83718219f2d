"""Databases as the original program leaves them: made by schema.sql, with dirt; and the program itself."""

import threading
import time
from contextlib import contextmanager
from itertools import count
from random import Random

import psycopg
from django.db import connections

from tests.schema.rows import Rows
from tests.schema.scratch import FILES

UNGUARDED = """
ALTER TABLE booking_seats DROP CONSTRAINT booking_seats_event_id_fkey;
DROP INDEX idx_booking_seats_unique;
"""


class Dirt:
    """Rows that break today's rules, each kind by name; what they are to become stands in the tests."""

    def __init__(self, rows: Rows):
        self.org = rows.add("organizations", name=" ", domain="HTTPS://Acme.Example/", settings="[1]")
        self.ada = rows.add("users", email=" mailto:Ada@Example.test ", phone="0049(30)123-456", name=" ")
        self.bob = rows.add("users", email="bob at home", phone="call me")
        self.nobody = rows.add("users", email=None)
        rows.add("organization_users", organization_id=self.org, user_id=self.ada, permissions='["edit"]')
        for made in ("2020-01-01", "2020-01-02"):
            rows.add("organization_invites", organization_id=self.org, email="x@y.test", created_at=made)
        rows.add("organization_invites", organization_id=self.org, email="x at y", token=" ")
        self.hall = rows.add(
            "events", org_id=self.org, title=" ", time_zone="", total_slots=10, available_slots=-3,
            ends_at="2000-01-01",
        )  # fmt: skip
        self.room = rows.add("events", org_id=self.org, total_slots=4, available_slots=99)
        self.pair = rows.book(self.hall, 1, 2)
        self.later = rows.book(self.hall, 3, 77, 0, user_id=self.ada)
        rows.add("bookings", event_id=self.hall, seats=99, status="cancelled")
        self.seatless = rows.add("bookings", event_id=self.room, seats=2, status="confirmed")
        self.number = rows.add("bookings", event_id=self.room, waiting_number=7, seats=1, status="cancelled")
        self.line = [
            rows.add("bookings", event_id=self.room, status="waiting", waiting_number=number, created_at=made)
            for number, made in [(0, "2020-01-03"), (None, "2020-01-01"), (4, "2020-01-02")]
        ]
        rows.add("booking_seats", booking_id=self.number, event_id=self.room, seat_no=4)
        self.stray = rows.add("booking_seats", booking_id=self.pair, event_id=self.room, seat_no=1)
        rows.add("booking_history", booking_id=self.pair)
        rows.add("notifications", status="sent", user_id=self.ada)

    def unguarded(self, rows: Rows) -> None:
        """What only a database shows that lost its guards, or was loaded with triggers off."""
        rows.do(UNGUARDED)
        self.twice = rows.add("bookings", event_id=self.hall, user_id=self.ada, created_at="2030-01-01")
        rows.add(
            "booking_seats", booking_id=self.twice, event_id=self.hall, seat_no=1, created_at="2030-01-01"
        )
        rows.do("SET session_replication_role = replica")
        missing = rows.value("SELECT gen_random_uuid()")
        self.orphan = rows.add("bookings", event_id=missing)
        rows.add("booking_seats", booking_id=self.orphan, event_id=missing)
        self.ghost = rows.add("bookings", event_id=self.room, user_id=missing)
        rows.add("booking_seats", booking_id=self.ghost, event_id=self.room, seat_no=2)
        self.homeless = rows.add("events", org_id=missing)
        rows.do("SET session_replication_role = origin")


@contextmanager
def used_by_django(scratch, blocker):
    """The application uses this database for a while: what commands and services speak of."""
    default = connections["default"]
    home = default.settings_dict["NAME"]
    with blocker.unblock():
        default.close()
        default.settings_dict["NAME"] = scratch.name
        try:
            yield
        finally:
            default.close()
            default.settings_dict["NAME"] = home


class OldProgram(threading.Thread):
    """Books by the original schema's own statements until it is told to stop.

    Args:
        number: of so many (`of`) that run at once; each has seat numbers of its own, from `above` on. Every
            second one counts first and books then, the others the other way round.
        pause: seconds between two bookings.
    """

    def __init__(self, connect, events: list, people: list, *, number=0, of=1, above=0, pause=0.0):
        super().__init__(daemon=True)
        self.connect, self.events, self.people = connect, events, people
        self.counts_first, self.pause = number % 2 == 1, pause
        self.pick = Random(number)
        self.booked, self.errors = [], []
        self.took: list[tuple[float, float]] = []  # when each began, and its seconds
        self._ended = threading.Event()
        self._seat_numbers = {event: count(above + 1 + number, of) for event in events}

    def run(self) -> None:
        with self.connect() as link:
            while not self._ended.is_set():
                began = time.monotonic()
                try:
                    self.booked.append(self._book(link))
                except psycopg.Error as error:
                    self.errors.append(error)
                self.took.append((began, time.monotonic() - began))
                time.sleep(self.pause)

    @property
    def slowest(self) -> float:
        return max(seconds for _, seconds in self.took)

    def stop(self) -> "OldProgram":
        self._ended.set()
        self.join()
        return self

    def _book(self, link):
        event, person = self.pick.choice(self.events), self.pick.choice(self.people)
        seat_no = next(self._seat_numbers[event])
        with link.transaction():
            if self.counts_first:
                self._count(link, event)
            [booking] = link.execute(
                "INSERT INTO bookings (event_id, user_id, seats, status) VALUES (%s, %s, 1, 'confirmed')"
                " RETURNING id",
                [event, person],
            ).fetchone()
            link.execute(
                "INSERT INTO booking_seats (booking_id, event_id, seat_no) VALUES (%s, %s, %s)",
                [booking, event, seat_no],
            )
            link.execute("INSERT INTO booking_history (booking_id, action) VALUES (%s, 'created')", [booking])
            link.execute(
                "INSERT INTO notifications (user_id, type) VALUES (%s, 'booking_confirmed')", [person]
            )
            if not self.counts_first:
                self._count(link, event)
        return booking

    @staticmethod
    def _count(link, event) -> None:
        link.execute("UPDATE events SET available_slots = available_slots - 1 WHERE id = %s", [event])


def make_original(scratch):
    scratch.run_file(FILES / "schema.sql")
    return scratch
