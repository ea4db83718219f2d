"""Whether a row was lost: those that stood when the adoption began, counted then and at its end.

Only rows made until then are counted, both times, so that people may go on booking. What a mend took out of a
table stands in the ledger and is no loss; what another program deleted meanwhile is counted as one.
"""

from dataclasses import dataclass

from django.db import connection

from happening.adopting import ledger
from happening.adopting.shape import TABLES


@dataclass(frozen=True)
class Count:
    """Rows of one table that stood when it began."""

    table: str
    before: int
    set_aside: int
    after: int

    @property
    def lost(self) -> int:
        return max(0, self.before - self.set_aside - self.after)

    def __str__(self):
        aside = f", {self.set_aside:,} set aside in the ledger" if self.set_aside else ""
        lost = f", {self.lost:,} LOST" if self.lost else ""
        return f"{self.table}: {self.before:,} rows before, {self.after:,} of them after{aside}{lost}."


def count_before() -> None:
    """Remember how many rows there are; once, so that a later run compares with the first."""
    ledger.open_()
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        [until] = cursor.fetchone()
        for table in TABLES:
            cursor.execute(
                f"INSERT INTO adoption.counts (relation, until, rows)"  # noqa: S608
                f" SELECT %(table)s, %(until)s, count(*) FROM {table} WHERE created_at <= %(until)s"
                " ON CONFLICT DO NOTHING",
                {"table": table, "until": until},
            )


def is_due() -> bool:
    """Whether rows were counted, and not again since."""
    if not ledger.is_open():
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM adoption.counts)")
        return cursor.fetchone()[0]


def close() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM adoption.counts")


def compare() -> list[Count]:
    aside = ledger.set_aside()
    with connection.cursor() as cursor:
        cursor.execute("SELECT relation, until, rows FROM adoption.counts")
        before = {table: (until, rows) for table, until, rows in cursor.fetchall()}
        counts = []
        for table in TABLES:
            until, rows = before[table]
            cursor.execute(f"SELECT count(*) FROM {table} WHERE created_at <= %s", [until])  # noqa: S608
            counts.append(Count(table, rows, aside.get(table, 0), cursor.fetchone()[0]))
    return counts
