"""The admin's log: written with what it tells of, and read within the walls."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.contrib.admin.models import LogEntry
from django.db import connection

from orgs.admin_site.standing import standing_in
from orgs.models import Membership

SHOWN = 10
LOOKED_THROUGH = 60


@contextmanager
def logged(model_admin, request, row, note: str) -> Iterator[None]:
    """Have `note` stand in the log of `row` by the very transaction in which the block changes it: neither is
    ever there without the other, whenever the process dies.

    Services are durable and know nothing of an admin's log, so the line is put beside the first statement of
    the first transaction that they commit. Where the block leaves its work to another connection (a booking
    may be made by the thread that leads its event's turn), it is written when the block is over.
    """
    line = _Line(lambda: model_admin.log_change(request, row, note))
    with connection.execute_wrapper(line.beside):
        yield
    if line.within is None:
        line.write()


class _Line:
    def __init__(self, write: Callable[[], object]):
        self.write = write
        self.within = None  # the transaction that holds it
        self.stands = False

    def beside(self, execute, sql, params, many, context):
        answer = execute(sql, params, many, context)
        here = _transaction()
        if here is not None and here is not self.within and not self.stands:
            self.within = here
            connection.on_commit(self._hold)
            self.write()
        return answer

    def _hold(self) -> None:
        self.stands = True


def _transaction():
    """The transaction under way, if it is one that will be committed."""
    blocks = [block for block in connection.atomic_blocks if not block._from_testcase]
    return blocks[0] if blocks else None


def own_recent_entries(site, request) -> list[LogEntry]:
    """What the person did lately, as far as they may still see what they did it to."""
    entries = list(
        LogEntry.objects.filter(user_id=request.user.pk)
        .select_related("content_type")
        .order_by("-action_time")[:LOOKED_THROUGH]
    )
    wanted = defaultdict(set)
    for entry in entries:
        wanted[entry.content_type_id, entry.content_type.model_class()].add(entry.object_id)
    visible = {
        (type_id, str(pk))
        for (type_id, model), ids in wanted.items()
        if model and site.is_registered(model)
        for pk in _within(site.get_model_admin(model), request, ids)
    }
    return [entry for entry in entries if (entry.content_type_id, entry.object_id) in visible][:SHOWN]


def who_may_be_named(request) -> set | None:
    """The people whose names a log may show: an organization's own. None where nobody is hidden; the
    platform's staff work in every organization, and are not introduced to each."""
    standing = standing_in(request)
    if standing.is_platform:
        return None
    members = Membership.objects.filter(organization=standing.organization)
    return set(members.values_list("user_id", flat=True))


def _within(model_admin, request, ids):
    return model_admin.get_queryset(request).filter(pk__in=ids).values_list("pk", flat=True)
