"""Django's PostgreSQL backend with a cheaper look at whether a connection still stands, and a count of the
rules of the schema that were met.

Some of that is daily business, told to the person in words. A rule that nobody should ever meet is a fault to
be looked into: docs/runbook.md.
"""

from select import POLLIN, poll

from django.db.backends.postgresql import base
from psycopg.errors import IntegrityError
from psycopg.pq import TransactionStatus

from orgs.counting import Counter

VIOLATIONS = Counter(
    "happening_constraint_violations_total", "Writes that PostgreSQL refused, by the rule.", ["constraint"]
)


class DatabaseWrapper(base.DatabaseWrapper):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.execute_wrappers.append(_counted)

    def _commit(self):
        try:
            return super()._commit()
        except Exception as error:  # some rules are looked at only now
            _count(error)
            raise

    def is_usable(self) -> bool:
        """As ever; but a server with nothing to say has not hung up, and need not be asked.

        Django asks `SELECT 1` once a request. An idle connection is silent, and one that has ended is
        readable at once, so only a connection with something to read is asked, or one whose transaction
        has failed: that is of no use, and says so.
        """
        is_silent = not _has_something_to_say(self.connection) and not _has_failed(self.connection)
        return is_silent or super().is_usable()


def _has_something_to_say(connection) -> bool:
    if connection.closed:
        return True
    socket = poll()
    socket.register(connection.pgconn.socket, POLLIN)
    return bool(socket.poll(0))


def _has_failed(connection) -> bool:
    return connection.info.transaction_status == TransactionStatus.INERROR


def _counted(execute, sql, params, many, context):
    try:
        return execute(sql, params, many, context)
    except Exception as error:
        _count(error)
        raise


def _count(error: Exception) -> None:
    refusal = error.__cause__
    if isinstance(refusal, IntegrityError):
        VIOLATIONS.labels(refusal.diag.constraint_name or "unnamed").inc()
