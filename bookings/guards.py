"""The indexes that hold the promises: without one of them, seats could be sold twice and nobody would see.

An index can be absent without an error: a build that was cut off leaves an invalid one behind, which
guards nothing and which IF NOT EXISTS takes for the real one. So a server asks before it serves.
"""

import logging

from django.db import InterfaceError, OperationalError, connection

GUARDS = (
    "idx_booking_seats_unique",
    "nobody_shares_a_waiting_number",
    "a_form_books_once",
    "nobody_is_told_the_same_thing_twice",
)

logger = logging.getLogger(__name__)


class GuardMissing(RuntimeError):
    """An index that holds a promise is not there, or not valid."""


def missing_guards() -> dict[str, str]:
    """The guards that do not hold, each with what is wrong with it: "missing" or "not valid"."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, indisvalid AND indisready AND indisunique "
            "FROM pg_index JOIN pg_class ON oid = indexrelid "
            "WHERE relname = ANY(%s) AND pg_table_is_visible(oid)",
            [list(GUARDS)],
        )
        holds = dict(cursor.fetchall())
    return {
        name: "not valid" if name in holds else "missing" for name in GUARDS if not holds.get(name, False)
    }


def ensure_guards() -> None:
    """Refuse to serve without the guards; a database that does not answer yet is asked by nobody.

    Raises:
        GuardMissing: which, and what to do.
    """
    try:
        missing = missing_guards()
    except (OperationalError, InterfaceError) as error:
        logger.warning("The database does not answer, so its guards could not be checked: %s", error)
        return
    finally:
        connection.close()
    if missing:
        wrong = ", ".join(f"{name} is {state}" for name, state in missing.items())
        raise GuardMissing(f"{wrong}. Run `manage.py migrate`, or see `manage.py doctor`.")
