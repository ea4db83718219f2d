"""Several people doing something at the same moment: threads, each on a database connection of its own."""

import importlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import wraps
from threading import Barrier, BrokenBarrierError
from unittest import mock

from django.db import IntegrityError, connection
from django.db.models import F

from bookings.combining import Ticket
from bookings.ledger import Ledger
from events.models import Event, EventQuerySet

PATIENCE = 20  # seconds until a test gives up rather than hang


def at_once(*calls: Callable) -> list:
    """Begin all calls together; returns what each returned, or the exception that it ended with."""
    gate = Barrier(len(calls))

    def run(call):
        try:
            connection.ensure_connection()
            gate.wait(PATIENCE)
            return call()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))


@contextmanager
def in_processes_of_their_own():
    """Let each request be served by itself, as in another process, where nobody hands theirs to anybody:
    then the row lock alone stands between them."""
    module = importlib.import_module("bookings.services.book")

    class Apart:
        def ask(self, event_id, request, *, arrived=None):
            ticket = Ticket(request)
            module._serve(event_id, lambda: [ticket])
            return ticket.result()

    with mock.patch.object(module, "TURNS", Apart()):
        yield


@contextmanager
def meeting_after(owner, name: str, parties: int):
    """Hold whoever has called `owner.name` until as many have as there are `parties`, once each."""
    gate = Barrier(parties)
    original = getattr(owner, name)

    @wraps(original)
    def meeting(*args, **kwargs):
        result = original(*args, **kwargs)
        try:
            if not gate.broken and gate.n_waiting < parties:
                gate.wait(PATIENCE)
                gate.abort()
        except BrokenBarrierError:
            pass
        return result

    with mock.patch.object(owner, name, meeting):
        yield


@contextmanager
def nothing_locked():
    """The services as they would be if nobody took the event's lock: what the controls run under."""

    def just_read(self, event_id):
        return Event.objects.annotate(org_status=F("org__status")).get(pk=event_id)

    with mock.patch.object(EventQuerySet, "lock", just_read):
        yield


@contextmanager
def what_the_database_refused():
    """The names of the constraints at which writes of bookings failed meanwhile."""
    refused, write = [], Ledger.write

    def writing(self):
        try:
            write(self)
        except IntegrityError as error:
            refused.append(error.__cause__.diag.constraint_name)
            raise

    with mock.patch.object(Ledger, "write", writing):
        yield refused
