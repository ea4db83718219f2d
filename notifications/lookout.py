"""Where a relay begins to look for what is due.

After a long backlog the index of what is pending still has an entry for each row that went, until autovacuum
has been there, and every look would walk all of them. Where a look has found nothing, the next need not go
through it again: each process remembers how far that was. Two things come behind that place all the same: a
row that is committed long after its moment, and one that a dead relay had in hand. So the place is kept
LATE behind the clock, and every now and then a look goes through everything.
"""

from datetime import UTC, datetime, timedelta

from notifications import states

LATE = timedelta(seconds=60)  # the longest that most rows are committed after the moment they carry
THROUGH_EVERYTHING = timedelta(seconds=60)  # between two looks from the very beginning
BEGINNING = datetime.min.replace(tzinfo=UTC)


class Lookout:
    def __init__(self) -> None:
        self.begins = BEGINNING
        self._went_through_at = BEGINNING

    def sees_anything(self, *, now: datetime) -> bool:
        """Whether anything is due from where this begins on; while nothing is, that place (`begins`) moves
        along with the clock."""
        if not timedelta(0) <= now - self._went_through_at < THROUGH_EVERYTHING:
            self.begins, self._went_through_at = BEGINNING, now
        found = states.is_anything_due(now=now, since=self.begins)
        if not found:
            self.begins = max(self.begins, now - LATE)
        return found
