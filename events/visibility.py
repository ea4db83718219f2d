"""Who may see an event's page. What one may not see is a 404 that cannot be told from a missing event."""

from events.models import Event
from orgs.models import Membership


def may_see(event: Event, person) -> bool:
    """Whether `person` (perhaps nobody in particular) may see the event; `event.org` is loaded.

    People with a booking see more than this: `bookings` knows them. A query only for members' events.
    """
    if not event.is_published:
        return False
    if person.is_authenticated and person.is_staff:
        return True
    if event.org is None or not event.org.is_active:
        return False
    if event.visibility != Event.Visibility.MEMBERS:
        return True
    return person.is_authenticated and (
        Membership.objects.active().filter(organization_id=event.org_id, user_id=person.pk).exists()
    )
