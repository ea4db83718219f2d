"""What today's schema asks of the rows that stand, in the order in which rows are mended."""

from happening.adopting.rules import events, parents, people, seats
from happening.adopting.rules.rule import Rule

RULES: tuple[Rule, ...] = (*parents.RULES, *people.RULES, *events.RULES, *seats.RULES)

__all__ = ["RULES", "Rule"]
