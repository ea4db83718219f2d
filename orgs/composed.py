"""Queries whose SQL is put together once.

The ORM takes several times as long to compose a query as PostgreSQL to answer it. The queries of a page that
a whole crowd asks for differ in their parameters alone, so they are composed the first time and run from then
on. What comes out are the model instances that the queryset would have given.
"""

from collections.abc import Callable
from functools import cached_property
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
            raise self._composed.model.DoesNotExist(f"There is no {self._composed.model._meta.verbose_name}.")
        return found[0]

    def all(self, *values: UUID) -> list:
        """The rows, as instances."""
        composed = self._composed
        given = dict(zip(self._stand_ins, values, strict=True))
        parameters = [
            given.get(each, each) if isinstance(each, UUID) else each for each in composed.parameters
        ]
        with connection.cursor() as cursor:
            cursor.execute(composed.sql, parameters)
            return composed.instances(cursor.fetchall())

    @cached_property
    def _composed(self) -> "_Compiled":
        return _Compiled(self._build(*self._stand_ins))


class _Compiled:
    """What the ORM knows of a query once it has composed it."""

    def __init__(self, rows: QuerySet):
        self.compiler = rows.query.get_compiler(connection=connection)
        self.sql, self.parameters = self.compiler.as_sql()
        facts = self.compiler.klass_info
        self.model: type[Model] = facts["model"]
        fields = facts["select_fields"]
        self._start, self._end = fields[0], fields[-1] + 1
        self._names = [column[0].target.attname for column in self.compiler.select[self._start : self._end]]
        self._related = get_related_populators(facts, self.compiler.select, DEFAULT_DB_ALIAS)
        self._annotations = self.compiler.annotation_col_map or {}
        self._converters = self.compiler.get_converters([column[0] for column in self.compiler.select])

    def instances(self, rows: list[tuple]) -> list[Model]:
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
