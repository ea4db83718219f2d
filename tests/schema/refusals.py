"""What PostgreSQL refuses, and by which rule."""

from contextlib import contextmanager

import psycopg
import pytest
from django.db import DatabaseError, transaction


@contextmanager
def refused(by: str):
    """What is done inside is refused by the rule of this name; the test's transaction goes on."""
    with pytest.raises(DatabaseError) as refusal, transaction.atomic():
        yield
    assert rule_of(refusal.value.__cause__) == by


def rule_of(error: psycopg.Error | None) -> str | None:
    """The name of the rule by which PostgreSQL refused; None if nothing was refused."""
    return error and error.diag.constraint_name


def each(offences: dict[str, list[dict]]) -> list:
    """A test's parameters: every rule with every row that breaks it."""
    return [
        pytest.param(rule, columns, id=f"{rule}-{number}")
        for rule, rows in offences.items()
        for number, columns in enumerate(rows, 1)
    ]
