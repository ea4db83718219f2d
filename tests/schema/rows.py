"""Rows as any program would write them: in SQL, with no more columns than a row must have."""

from itertools import count

_numbers = count(1)

ORDINARY = {
    "organizations": {"name": "Acme"},
    "users": {"email": lambda rows: f"person-{next(_numbers)}@example.test", "name": "Ada"},
    "organization_users": {
        "organization_id": lambda rows: rows.add("organizations"),
        "user_id": lambda rows: rows.add("users"),
    },
    "organization_invites": {
        "organization_id": lambda rows: rows.add("organizations"),
        "email": "ada@example.test",
        "role": "user",
        "token": lambda rows: f"{next(_numbers):064x}",
        "expires_at": "2100-01-01 00:00Z",
    },
    "events": {
        "title": "An evening",
        "category": "concert",
        "event_date": "2100-01-01 20:00Z",
        "total_slots": 10,
    },
    "bookings": {
        "event_id": lambda rows: rows.add("events"),
        "user_id": lambda rows: rows.add("users"),
        "seats": 1,
        "status": "confirmed",
    },
    "booking_seats": {"booking_id": lambda rows: rows.add("bookings"), "seat_no": 1},
    "booking_history": {
        "booking_id": lambda rows: rows.value("SELECT gen_random_uuid()"),
        "action": "created",
    },
    "notifications": {"user_id": lambda rows: rows.add("users"), "type": "booking_confirmed"},
    "event_jobs": {
        "event_id": lambda rows: rows.add("events"),
        "kind": "cancel_bookings",
        "due_at": "2000-01-01 00:00Z",
    },
    "membership_history": {
        "organization_id": lambda rows: rows.value("SELECT gen_random_uuid()"),
        "user_id": lambda rows: rows.value("SELECT gen_random_uuid()"),
        "action": "joined",
    },
    "notification_preferences": {
        "user_id": lambda rows: rows.add("users"),
        "type": "event_reminder",
        "by_mail": False,
    },
    "account_mails": {
        "kind": "verification",
        "recipient": "ada@example.test",
        "subject": "Is this your address?",
        "sealed": "gAAAA",
        "due_at": "2000-01-01 00:00Z",
        "give_up_at": "2000-01-02 00:00Z",
    },
    "keycloak_groups": {
        "organization_id": lambda rows: rows.add("organizations"),
        "path": "/acme/organizers",
        "role": "organizer",
    },
    "spent_tokens": {"digest": lambda rows: f"{next(_numbers):064x}", "expires_at": "2100-01-01 00:00Z"},
    "job_runs": {"job": lambda rows: f"job_{next(_numbers)}", "started_at": "2100-01-01 00:00Z"},
    "event_free_runs": {"event_id": lambda rows: rows.add("events"), "first_seat": 1, "last_seat": 10},
}


class Rows:
    """Adds and asks through anything that has `execute` and `fetchall`: a cursor of Django or of psycopg."""

    def __init__(self, cursor):
        self.cursor = cursor

    def add(self, table: str, **columns):
        """Insert an ordinary row, but for these columns; returns its id."""
        columns = {**ORDINARY[table], **columns}
        values = {name: fact(self) if callable(fact) else fact for name, fact in columns.items()}
        if table == "booking_seats" and "event_id" not in values:
            values["event_id"] = self.value(
                "SELECT event_id FROM bookings WHERE id = %s", values["booking_id"]
            )
        key = "event_id" if table == "event_free_runs" else "id"
        names, places = ", ".join(values), ", ".join(["%s"] * len(values))
        return self.value(
            f"INSERT INTO {table} ({names}) VALUES ({places}) RETURNING {key}", *values.values()
        )

    def book(self, event_id, *seat_nos: int, **columns):
        """A confirmed booking of these seats."""
        booking_id = self.add("bookings", event_id=event_id, seats=len(seat_nos), **columns)
        for seat_no in seat_nos:
            self.add("booking_seats", booking_id=booking_id, event_id=event_id, seat_no=seat_no)
        return booking_id

    def do(self, sql: str, *facts) -> None:
        self.cursor.execute(sql, facts or None)

    def all(self, sql: str, *facts) -> list[tuple]:
        self.do(sql, *facts)
        return self.cursor.fetchall()

    def row(self, sql: str, *facts) -> tuple:
        [row] = self.all(sql, *facts)
        return row

    def value(self, sql: str, *facts):
        [value] = self.row(sql, *facts)
        return value

    def column(self, sql: str, *facts) -> list:
        return [value for [value] in self.all(sql, *facts)]
