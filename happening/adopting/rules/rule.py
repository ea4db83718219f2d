"""A rule that old rows can break.

Its name is that of the constraint where there is one. `breaks` is a condition on a row of the table, called
`line`; `mend` is what is written for a page of such rows, `%(ids)s`, in a transaction that holds the locks of
their events. A statement that returns rows says itself what the ledger is to remember: (table, id, the row as
it was, as it became). Where a mend leaves a row as it is, or there is none, `by_hand` says what a person has
to decide.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    name: str
    table: str
    what: str  # is wrong with such a row
    breaks: str
    mend: str | tuple[str, ...] = ()
    mends: str = ""  # what the mend does, in words
    by_hand: str = ""
    locks: str = ""  # a query for the events whose lock the mend needs
    is_sure: bool = False  # its mend passes over rows that keep the rule meanwhile

    @property
    def statements(self) -> tuple[str, ...]:
        return (self.mend,) if isinstance(self.mend, str) else self.mend

    def which(self) -> str:
        """The ids of the rows that break it."""
        return f"SELECT line.id FROM {self.table} AS line WHERE {self.breaks} ORDER BY line.id"  # noqa: S608

    def still(self) -> str:
        """Which rows of a page break it."""
        return f"SELECT line.id FROM {self.table} AS line WHERE line.id = ANY(%(ids)s) AND ({self.breaks})"  # noqa: S608

    def count(self) -> str:
        """How many rows break it, and the first ids."""
        return (
            f"SELECT count(*), (array_agg(line.id ORDER BY line.id))[1:%(most)s] FROM {self.table} AS line"  # noqa: S608
            f" WHERE {self.breaks}"
        )


def assign(table: str, assignments: str) -> str:
    return f"UPDATE {table} SET {assignments} WHERE id = ANY(%(ids)s)"  # noqa: S608
