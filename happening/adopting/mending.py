"""Mends rows that break a rule: a page at a time, under the locks of their events, each written down.

Page and lines of the ledger are one transaction. It can be killed anywhere and begun again: what is mended
does not break its rule any more.
"""

import json
import re
from collections.abc import Callable, Iterator
from functools import partial

from django.db import connection

from happening.adopting import ledger
from happening.adopting.rules import RULES, Rule
from happening.adopting.shape import Part
from orgs.crash_points import crash_point
from orgs.migrating import all_or_none, in_turn

PAGE = 500


def mend(*, tell: Callable[[str], None]) -> int:
    """Mend what can be mended; returns how many lines the ledger got."""
    ledger.open_()
    before = sum(ledger.mends().values())
    for rule in RULES:
        if rule.mend:
            _mend(rule, tell=tell)
    return sum(ledger.mends().values()) - before


def restore(lacking: list[Part], *, tell: Callable[[str], None]) -> None:
    """Give back constraints and indexes that the original made and that are gone, or not checked.

    Raises:
        django.db.IntegrityError: rows break it.
    """
    ledger.open_()
    for part in sorted(lacking, key=lambda part: ("UNIQUE" not in part.definition, part.name)):
        for statement in _making(part):
            with connection.cursor() as cursor:
                cursor.execute(statement)
        ledger.write(part.name, [(part.table, None, None, {"made": part.definition})])
        tell(f"{part.name}: made again.")


def _mend(rule: Rule, *, tell: Callable[[str], None]) -> None:
    lines = 0
    with connection.cursor() as cursor:
        cursor.execute(rule.which(), {})
        rows = [row for [row] in cursor.fetchall()]
    for start in range(0, len(rows), PAGE):
        ids = rows[start : start + PAGE]
        lines += in_turn(connection, partial(_mend_page, rule, ids))
        crash_point("mend")
    if lines:
        tell(f"{rule.name}: {lines:,} {'line' if lines == 1 else 'lines'} in the ledger; {rule.mends}.")


def _mend_page(rule: Rule, ids: list) -> int:
    page = {"ids": ids}
    with connection.cursor() as cursor:
        if rule.locks:
            cursor.execute(
                f"SELECT FROM events WHERE id IN ({rule.locks}) ORDER BY id FOR NO KEY UPDATE",
                page,
            )
        if not rule.is_sure:
            cursor.execute(rule.still(), page)
            page = {"ids": (ids := [row for [row] in cursor.fetchall()])}
        was, lines = _rows(rule.table, ids), []
        for statement in rule.statements:
            cursor.execute(statement, page)
            if cursor.description:  # it says itself what it wrote
                lines += [(table, row, *map(_facts, facts)) for table, row, *facts in cursor.fetchall()]
    became, told = _rows(rule.table, ids), {row for _, row, *_ in lines}
    lines += [
        (rule.table, row, *_difference(facts, became.get(row)))
        for row, facts in was.items()
        if facts != became.get(row) and row not in told
    ]
    ledger.write(rule.name, lines)
    return len(lines)


def _rows(table: str, ids: list) -> dict:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, to_jsonb(line) FROM {table} AS line"  # noqa: S608
            " WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE",
            [ids],
        )
        return {row: _facts(facts) for row, facts in cursor.fetchall()}


def _facts(written: str | None) -> dict | None:
    return written and json.loads(written)


def _difference(was: dict, became: dict | None) -> tuple[dict, dict | None]:
    """What changed; all of a row that is gone."""
    if became is None:
        return was, None
    changed = [name for name in was if was[name] != became[name]]
    return {name: was[name] for name in changed}, {name: became[name] for name in changed}


def _making(part: Part) -> Iterator[str]:
    if part.kind == "index":
        yield f"DROP INDEX CONCURRENTLY IF EXISTS {part.name}"
        yield re.sub(r"^(CREATE (UNIQUE )?INDEX) ", r"\1 CONCURRENTLY ", part.definition)
        return
    add = f"ALTER TABLE {part.table} DROP CONSTRAINT IF EXISTS {part.name}, ADD CONSTRAINT {part.name}"
    if columns := re.match(r"(UNIQUE|PRIMARY KEY) (\(.*\))", part.definition):
        index = f"{part.name}_anew"
        yield f"DROP INDEX CONCURRENTLY IF EXISTS {index}"
        yield f"CREATE UNIQUE INDEX CONCURRENTLY {index} ON {part.table} {columns[2]}"
        yield all_or_none((part.table,), "ACCESS EXCLUSIVE") + f"{add} {columns[1]} USING INDEX {index}"
        return
    tables = (*re.findall(r"REFERENCES (\w+)", part.definition), part.table)
    unchecked = part.definition.removesuffix(" NOT VALID") + " NOT VALID"
    yield all_or_none(tables, "ACCESS EXCLUSIVE") + f"{add} {unchecked}"
    yield f"ALTER TABLE {part.table} VALIDATE CONSTRAINT {part.name}"
