"""Rows whose parents are not there. A load with triggers switched off leaves them, under any key."""

from happening.adopting.rules.rule import Rule


def _orphan(name: str, table: str, column: str, parent: str, mend: str | tuple[str, ...], mends: str) -> Rule:
    return Rule(
        name=name,
        table=table,
        what=f"{column} names no row of {parent}",
        breaks=f"line.{column} IS NOT NULL"
        f" AND NOT EXISTS (SELECT FROM {parent} AS parent WHERE parent.id = line.{column})",
        mend=mend,
        mends=mends,
    )


def _removed(name: str, table: str, column: str, parent: str) -> Rule:
    mend = f"DELETE FROM {table} WHERE id = ANY(%(ids)s)"  # noqa: S608
    return _orphan(name, table, column, parent, mend, "the row is set aside in the ledger")


def _emptied(name: str, table: str, column: str, parent: str) -> Rule:
    mend = f"UPDATE {table} SET {column} = NULL WHERE id = ANY(%(ids)s)"  # noqa: S608
    return _orphan(name, table, column, parent, mend, f"{column} is emptied")


STAND_IN = """
INSERT INTO users (id, status) SELECT DISTINCT user_id, 'erased' FROM bookings WHERE id = ANY(%(ids)s)
ON CONFLICT DO NOTHING RETURNING 'users', id, NULL::jsonb, to_jsonb(users)
"""

RULES = (
    _removed(
        "organization_users_organization_id_fkey", "organization_users", "organization_id", "organizations"
    ),
    _removed("organization_users_user_id_fkey", "organization_users", "user_id", "users"),
    _removed(
        "organization_invites_organization_id_fkey",
        "organization_invites",
        "organization_id",
        "organizations",
    ),
    _emptied("organization_invites_invited_by_fkey", "organization_invites", "invited_by", "users"),
    _emptied("events_org_id_fkey", "events", "org_id", "organizations"),
    _removed("booking_seats_event_id_fkey", "booking_seats", "event_id", "events"),
    _removed("booking_seats_booking_id_fkey", "booking_seats", "booking_id", "bookings"),
    _orphan(
        *("bookings_event_id_fkey", "bookings", "event_id", "events"),
        mend=(
            "DELETE FROM booking_seats WHERE booking_id = ANY(%(ids)s)"
            " RETURNING 'booking_seats', id, to_jsonb(booking_seats), NULL::jsonb",
            "DELETE FROM bookings WHERE id = ANY(%(ids)s)",
        ),
        mends="the booking and its seats are set aside in the ledger",
    ),
    _orphan(
        *("bookings_user_id_fkey", "bookings", "user_id", "users"),
        mend=STAND_IN,
        mends="an erased person stands in, so that the booking keeps its seats",
    ),
    _removed("notifications_user_id_fkey", "notifications", "user_id", "users"),
)
