"""Paging by key: a page begins behind a row, not after so many rows, so that page 1,000 costs what page 1
costs and nothing is shown twice when rows come and go.

A cursor names a row by its moment and its id. It is opaque to people and never trusted: one that
cannot be read is as if there were none.
"""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from uuid import UUID

from django.db.models import Q, QuerySet


@dataclass(frozen=True)
class Page:
    """`earlier` and `later` are cursors for `?before=` and `?after=`; None where the list ends."""

    rows: list
    earlier: str | None
    later: str | None

    def __iter__(self):
        return iter(self.rows)

    def __len__(self):
        return len(self.rows)


@dataclass(frozen=True)
class Keyset:
    """An order of rows: by the moment at the lookup path `moment`, then by id."""

    moment: str
    newest_first: bool = False
    size: int = 24

    def page(self, *lists: QuerySet, place: Mapping[str, str]) -> Page:
        """The page that `place` (a request's query: `after` or `before`) asks for, of all `lists` put in
        one order; no two of them share a row. One query each."""
        after, before = read(place.get("after", "")), read(place.get("before", ""))
        backwards = before is not None and after is None
        forwards = after is not None
        falling = self.newest_first != backwards
        if forwards or backwards:
            behind = self._behind(after or before, falling=falling)
            lists = [rows.filter(behind) for rows in lists]
        sign = "-" if falling else ""
        ordered = [rows.order_by(f"{sign}{self.moment}", f"{sign}id")[: self.size + 1] for rows in lists]
        found = (
            sorted(chain(*ordered), key=self._place, reverse=falling) if len(lists) > 1 else list(*ordered)
        )
        more = len(found) > self.size
        found = found[: self.size]
        if backwards:
            found.reverse()
        if not found:
            return Page([], None, None)
        return Page(
            found,
            earlier=self._cursor(found[0]) if forwards or (backwards and more) else None,
            later=self._cursor(found[-1]) if backwards or more else None,
        )

    def _behind(self, key: tuple[datetime, UUID], *, falling: bool) -> Q:
        moment, pk = key
        way = "lt" if falling else "gt"
        # The first condition alone is what an index on (moment, id) can start from.
        return Q(**{f"{self.moment}__{way}e": moment}) & (
            Q(**{f"{self.moment}__{way}": moment}) | Q(**{f"id__{way}": pk})
        )

    def _place(self, row) -> tuple[datetime, UUID]:
        moment = row
        for name in self.moment.split("__"):
            moment = getattr(moment, name)
        return moment, row.pk

    def _cursor(self, row) -> str:
        moment, _pk = self._place(row)
        return urlsafe_b64encode(f"{moment.isoformat()} {row.pk}".encode()).decode().rstrip("=")


def read(cursor: str) -> tuple[datetime, UUID] | None:
    """The key that a cursor names; None if it is not one."""
    try:
        moment, pk = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().split(" ")
        key = datetime.fromisoformat(moment), UUID(pk)
    except (ValueError, binascii.Error):
        return None
    return key if key[0].tzinfo else None
