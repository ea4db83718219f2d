"""Which rows break which rule. Nothing is changed, and nobody waits: it only reads."""

from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from happening.adopting.rules import RULES, Rule

FIRST = 5  # ids that are shown of each rule


@dataclass(frozen=True)
class Broken:
    """A rule, how many rows break it, and the first of them."""

    rule: Rule
    count: int
    first: list[UUID]

    def as_facts(self) -> dict:
        rule = self.rule
        return {
            "rule": rule.name,
            "table": rule.table,
            "what": rule.what,
            "count": self.count,
            "first": [str(one) for one in self.first],
            "mend": rule.mends or None,
            "by_hand": rule.by_hand or None,
        }


def broken() -> list[Broken]:
    """The rules that are broken, in the order in which they are mended."""
    found = []
    for rule in RULES:
        with connection.cursor() as cursor:
            cursor.execute(rule.count(), {"most": FIRST})
            count, first = cursor.fetchone()
        if count:
            found.append(Broken(rule, count, first))
    return found
