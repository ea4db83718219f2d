"""Queries whose SQL is put together once.

The ORM takes several times as long to compose a query as PostgreSQL to answer it. The queries of a page that
a whole crowd asks for differ in their parameters alone, so they are composed the first time and run from then
on. What comes out are the model instances that the queryset would have given.

Among many threads a question costs as much again in waiting for its answer, so a page may ask several at once
(`read_together`).
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, cached_property
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import Model, QuerySet
from django.db.models.query import get_related_populators


class Composed:
    """A query with parameters.

    Args:
        build: makes the queryset of its parameters, all of them UUIDs, given by position. It is called once,
            with stand-ins; what it does with them must be to compare columns with them.
    """

    def __init__(self, build: Callable[..., QuerySet], *, parameters: int = 1):
        self._build = build
        self._stand_ins = [UUID(int=number + 1) for number in range(parameters)]

    def get(self, *values: UUID) -> Any:
        """The one row, as an instance.

        Raises:
            DoesNotExist of the model: there is none.
        """
        found = self.all(*values)
        if not found:
            raise self.composed.model.DoesNotExist(f"There is no {self.composed.model._meta.verbose_name}.")
        return found[0]

    def all(self, *values: UUID) -> list:
        """The rows, as instances."""
        found = _ahead.answers.pop((self, values), None)
        if found is not None:
            return found
        with connection.cursor() as cursor:
            cursor.execute(self.composed.sql, self.parameters(values))
            return self.composed.instances(cursor.fetchall())

    def parameters(self, values: tuple[UUID, ...]) -> list:
        """What the SQL takes for these values."""
        given = dict(zip(self._stand_ins, values, strict=True))
        parameters = self.composed.parameters
        return [given.get(each, each) if isinstance(each, UUID) else each for each in parameters]

    @cached_property
    def composed(self) -> "_Compiled":
        return _Compiled(self._build(*self._stand_ins))


Question = tuple[Composed, tuple[UUID, ...]]


class _Ahead(threading.local):
    """What this thread has read ahead, by question."""

    def __init__(self) -> None:
        self.answers: dict[Question, list] = {}


_ahead = _Ahead()


@contextmanager
def read_together(*questions: Question) -> Iterator[None]:
    """Ask `questions` in one statement. Inside the block each finds its answer there, the first time that it
    is asked; what is left over is dropped at the end.

    Args:
        questions: each a `Composed` and its values, at least two; or none, and nothing is read. All but the
            last have one row at most.
    """
    _ahead.answers = dict(zip(questions, _read(questions), strict=True)) if questions else {}
    try:
        yield
    finally:
        _ahead.answers = {}


def _read(questions: tuple[Question, ...]) -> list[list]:
    parameters = [each for composed, values in questions for each in composed.parameters(values)]
    with connection.cursor() as cursor:
        cursor.execute(_together(tuple(composed for composed, _ in questions)), parameters)
        rows = cursor.fetchall()
    *single, last = (composed.composed for composed, _ in questions)
    [head] = [row for row in rows if row[0]]
    answers, start = [], 1
    for each in single:
        answers.append(each.instances([head[start : start + each.width]]))
        start += each.width
    rows.sort(key=lambda row: row[start] or 0)
    return [*answers, last.instances([row[start + 1 :] for row in rows])]


@cache
def _together(composed: tuple[Composed, ...]) -> str:
    """One row of those with one at most, side by side; beside and below it the rows of the last, numbered."""
    *single, last = (each.composed.sql for each in composed)
    names = [f"q{number}" for number in range(len(single))]
    joins = " ".join(f"LEFT JOIN ({sql}) AS {name} ON true" for name, sql in zip(names, single, strict=True))
    shown = ", ".join(f"{name}.*" for name in names)
    return (
        f"SELECT head.place, {shown}, tail.* FROM (SELECT 1 AS place) AS head {joins} "  # noqa: S608
        f"FULL JOIN (SELECT row_number() OVER () AS place, last.* FROM ({last}) AS last) AS tail "
        "ON tail.place = head.place"
    )


class _Compiled:
    """What the ORM knows of a query once it has composed it."""

    def __init__(self, rows: QuerySet):
        self.compiler = rows.query.get_compiler(connection=connection)
        self.sql, self.parameters = self.compiler.as_sql()
        facts = self.compiler.klass_info
        self.model: type[Model] = facts["model"]
        fields = facts["select_fields"]
        self._start, self._end = fields[0], fields[-1] + 1
        self.width = len(self.compiler.select)
        self._names = [column[0].target.attname for column in self.compiler.select[self._start : self._end]]
        self._key = self._start + self._names.index(self.model._meta.pk.attname)
        self._related = get_related_populators(facts, self.compiler.select, DEFAULT_DB_ALIAS)
        self._annotations = self.compiler.annotation_col_map or {}
        self._converters = self.compiler.get_converters([column[0] for column in self.compiler.select])

    def instances(self, rows: list[tuple]) -> list[Model]:
        """Of the rows that are there; one that was joined to nothing has no key."""
        rows = [row for row in rows if row[self._key] is not None]
        if self._converters:
            rows = map(tuple, self.compiler.apply_converters(rows, self._converters))
        return [self._instance(row) for row in rows]

    def _instance(self, row: tuple) -> Model:
        made = self.model.from_db(DEFAULT_DB_ALIAS, self._names, row[self._start : self._end])
        for related in self._related:
            related.populate(row, made)
        for name, column in self._annotations.items():
            setattr(made, name, row[column])
        return made
