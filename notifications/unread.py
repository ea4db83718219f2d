"""What is new for people, for the count in the header and the line "new messages" above the inbox."""

from uuid import UUID

from django.db import connection
from django.db.models import Expression, Func, IntegerField

from notifications.live import PEOPLE
from notifications.live.topics import Source, Topic

COUNTED = 100  # more are shown as 99+
COUNT = (
    "SELECT count(*) FROM (SELECT FROM notifications "  # noqa: S608 - the limit is ours
    f"WHERE user_id = %s AND read_at IS NULL LIMIT {COUNTED}) AS unread"
)


def states(people: list[UUID]) -> dict[UUID, dict]:
    """For each: `unread`, how many messages up to COUNTED, and `newest`, the id of the newest or None."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT
                person.id,
                (SELECT count(*) FROM (
                    SELECT 1 FROM notifications
                    WHERE user_id = person.id AND read_at IS NULL LIMIT %s
                ) AS unread),
                (SELECT id FROM notifications
                    WHERE user_id = person.id ORDER BY created_at DESC, id DESC LIMIT 1)
            FROM unnest(%s::uuid[]) AS person (id)
            """,
            [COUNTED, people],
        )
        return {person: {"unread": unread, "newest": newest} for person, unread, newest in cursor.fetchall()}


def count(user_id: UUID) -> int:
    """How many messages a person has not read, up to COUNTED."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT, [user_id])
        return cursor.fetchone()[0]


def counted(person: Expression) -> Func:
    """The same in a query of another thing, of the `person` whose id it knows."""
    return Func(person, template=f"({COUNT % '%(expressions)s'})", output_field=IntegerField())


def _read(topics: list[Topic]) -> dict[Topic, dict]:
    found = states([topic.subject for topic in topics])
    return {topic: found[topic.subject] for topic in topics}


INBOX = Source(PEOPLE, read=_read)
