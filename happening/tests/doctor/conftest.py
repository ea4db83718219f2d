import pytest
from django.db import connection


@pytest.fixture
def sql(db):
    """Run SQL, in the test's own transaction."""

    def run(statement: str, *facts):
        with connection.cursor() as cursor:
            cursor.execute(statement, facts or None)
            return cursor.fetchall() if cursor.description else None

    return run


@pytest.fixture
def mended(sql):
    """Do what a mend in SQL says, as far as that can be done inside a transaction."""

    def mend(finding) -> None:
        statements = finding.mend.removeprefix("Stop the web, then: ").replace(" CONCURRENTLY", "")
        sql(statements.partition("; --")[0])

    return mend


def wrong(findings) -> list:
    return [finding for finding in findings if not finding.is_ok]
