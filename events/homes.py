"""Whose event it is, without asking again: an event never moves to another organization (a trigger sees to
it), so what was read once stays true for as long as the process lives."""

from collections import OrderedDict
from uuid import UUID

from events.models import Event

MOST = 10_000

_homes: OrderedDict[UUID, UUID] = OrderedDict()


def is_of(event_id: UUID, organization_id: UUID) -> bool:
    """Whether the event is this organization's. One that there is not, or that has lost its own, is nobody's,
    and is asked for anew each time."""
    home = _homes.get(event_id)
    if home is None:
        home = Event.objects.filter(pk=event_id).values_list("org_id", flat=True).first()
        if home is None:
            return False
        _homes[event_id] = home
        while len(_homes) > MOST:
            _homes.popitem(last=False)
    return home == organization_id
