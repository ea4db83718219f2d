"""What becomes of an organization, decided by the platform's staff: suspended, opened again, closed for good.

Suspending and opening again undo each other. Closing cancels what is still to come, which cannot be undone:
opened again, the organization has its cancelled events as they are. Each change is one transaction, and its
administrators are told in it.
"""

from contextlib import suppress
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import IntegrityError, transaction

from bookings import seat_counter
from bookings.errors import Closed, ReasonMissing
from bookings.services.cancel_event import cancel_event
from events import public_pages
from events.models import Event
from events.services import advance
from orgs import membership_mail, roles, standing_news
from orgs.errors import NotAllowed
from orgs.models import Organization, User


def suspend_organization(*, organization_id: UUID, actor_id: UUID | None, now: datetime) -> Organization:
    """Hide it from strangers and let nothing new be booked; who has booked sees and may cancel. Suspending
    what is suspended changes nothing.

    Raises:
        Organization.DoesNotExist, NotAllowed (for platform staff alone).
    """
    return _become(Organization.Status.SUSPENDED, organization_id, actor_id=actor_id, now=now)


def reopen_organization(*, organization_id: UUID, actor_id: UUID | None, now: datetime) -> Organization:
    """Give a suspended or closed one back its place.

    Raises:
        Organization.DoesNotExist, NotAllowed.
    """
    return _become(Organization.Status.ACTIVE, organization_id, actor_id=actor_id, now=now)


def close_organization(
    *, organization_id: UUID, reason: str, actor_id: UUID | None, now: datetime
) -> Organization:
    """Cancel the events that go ahead, telling their people why, and close the organization.

    It is suspended first, so that nothing new is booked while its events are cancelled one by one. Killed
    anywhere it stays suspended, and closing it again goes on.

    Raises:
        Organization.DoesNotExist, NotAllowed, ReasonMissing.
    """
    if not reason.strip():
        raise ReasonMissing
    organization = Organization.objects.get(pk=organization_id)
    if organization.status == Organization.Status.CLOSED:
        return organization
    _become(Organization.Status.SUSPENDED, organization_id, actor_id=actor_id, now=now, tell=False)
    advance(now=now)  # what is over by now took place, and is not called off
    while True:
        _cancel_all(organization_id, reason=reason, actor_id=actor_id, now=now)
        try:
            return _become(Organization.Status.CLOSED, organization_id, actor_id=actor_id, now=now)
        except IntegrityError as error:  # an event was published meanwhile
            if error.__cause__.diag.constraint_name != "an_organization_closes_after_its_events":
                raise


def going_ahead(organization_id: UUID):
    """What closing cancels."""
    return Event.objects.published().going_ahead().filter(org_id=organization_id).order_by("pk")


def _cancel_all(organization_id: UUID, *, reason: str, actor_id: UUID | None, now: datetime) -> None:
    for event_id in list(going_ahead(organization_id).values_list("pk", flat=True)):
        with suppress(Closed):  # it was over a moment ago
            cancel_event(event_id=event_id, reason=reason, actor_id=actor_id, now=now)


def _become(
    status: str, organization_id: UUID, *, actor_id: UUID | None, now: datetime, tell: bool = True
) -> Organization:
    with transaction.atomic(durable=True):
        organization = Organization.objects.lock(organization_id)
        if actor_id is not None and not roles.held_by(User.objects.get(pk=actor_id)).everywhere:
            raise NotAllowed
        if organization.status == status:
            return organization
        organization.status = status
        organization.save(update_fields=["status"])
        if tell:
            membership_mail.tell_of_status(organization, now=now)
        shown = list(going_ahead(organization_id).values_list("pk", flat=True))
        standing_news.changed(*shown)
        transaction.on_commit(partial(public_pages.forget, public_pages.LIST, *shown), robust=True)
        transaction.on_commit(partial(seat_counter.forget, *shown), robust=True)
    return organization
