"""Erasing a person: who they were goes, what happened stays.

Three steps, so that a kill between them leaves nothing half done that the next run does not finish:

1. the person is locked out: suspended, every session over;
2. bookings to come are given back by the service, which promotes who waits for the seats;
3. name, address, phone, identity and everything that leads to them are removed; the row, the bookings and
   their history stay, for the organizers' figures, as those of somebody who left.

What booking has closed for cannot be given back any more and stays as it is.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Model
from django.db.models.functions import Lower
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bookings import services
from bookings.errors import BookingRefused
from bookings.models import Booking
from notifications import leaving
from notifications.models import Preference
from orgs import members
from orgs.models import AccountMail, Invite, Membership, Organization, User


class LastAdministrator(Exception):
    """Nobody else could run these organizations."""

    def __init__(self, organizations: list[str]) -> None:
        says = ngettext(
            "You are the only administrator of %(names)s. Make somebody else an administrator first.",
            "You are the only administrator of %(names)s. Make others administrators first.",
            len(organizations),
        )
        super().__init__(says % {"names": ", ".join(organizations)})


def bookings_to_give_back(person: User, *, now: datetime):
    """Those that erasing would cancel, as far as one can see."""
    return Booking.objects.held_by(person.pk).active().filter(event__event_date__gt=now).order_by("pk")


def erase(person_id: UUID, *, now: datetime) -> int:
    """Erase a person; returns how many bookings were given back. Erasing twice changes nothing.

    Raises:
        LastAdministrator: an organization would have no administrator left; nothing is changed.
        User.DoesNotExist
    """
    person = _lock_out(person_id)
    given_back = _give_back(person, now=now)
    _remove(person, now=now)
    return given_back


def _ensure_replaceable(person: User) -> None:
    """Raises LastAdministrator if an organization that goes on would have nobody to run it.

    Each stays locked, so that two administrators who leave at once come one after the other.
    """
    administered = Membership.objects.administrators().filter(user=person).order_by("organization_id")
    for organization_id in administered.values_list("organization_id", flat=True):
        Organization.objects.lock(organization_id)
    if alone := [str(organization) for organization in members.only_administered_by(person.pk)]:
        raise LastAdministrator(sorted(alone))


def _lock_out(person_id: UUID) -> User:
    with transaction.atomic(durable=True):
        person = User.objects.select_for_update(no_key=True, of=("self",)).get(pk=person_id)
        _ensure_replaceable(person)
        if person.is_active:
            person.status = User.Status.SUSPENDED
            person.save(update_fields=["status"])
        User.objects.filter(pk=person_id).end_sessions()
    for session in UserSession.objects.filter(user_id=person_id):
        session.end()
    return person


def _give_back(person: User, *, now: datetime) -> int:
    given_back = 0
    for booking_id in list(bookings_to_give_back(person, now=now).values_list("pk", flat=True)):
        try:
            services.cancel(booking_id=booking_id, actor_id=person.pk, now=now)
        except BookingRefused:  # closed, or its event is being cancelled: it stays, without a name
            continue
        given_back += 1
    return given_back


def _remove(person: User, *, now: datetime) -> None:
    with transaction.atomic(durable=True):
        addresses = {person.email, *EmailAddress.objects.filter(user=person).values_list("email", flat=True)}
        written = {address.lower() for address in addresses if address}
        members.name_actor(person.pk)
        leaving.keep_in_the_inbox(person.pk, now=now)
        invites = Invite.objects.alias(written=Lower("email")).filter(written__in=written)
        _take_names_out_of_the_log(
            (User, [person.pk]),
            (Membership, Membership.objects.filter(user=person).values_list("pk", flat=True)),
            (Invite, invites.values_list("pk", flat=True)),
        )
        invites.delete()
        AccountMail.objects.alias(written=Lower("recipient")).filter(written__in=written).delete()
        for model in (EmailAddress, Authenticator, Membership, AccountMail, Preference):
            model.objects.filter(user=person).delete()
        User.objects.filter(pk=person.pk).update(
            status=User.Status.ERASED,
            name=None,
            email=None,
            phone=None,
            keycloak_id=None,
            profile={},
            password="!",
            is_platform_staff=False,
            last_login=None,
        )


def _take_names_out_of_the_log(*rows: tuple[type[Model], Iterable[UUID]]) -> None:
    """Of what was done to these rows the admin's log says that it was done, and no more to whom."""
    for model, ids in rows:
        LogEntry.objects.filter(
            content_type=ContentType.objects.get_for_model(model), object_id__in=list(map(str, ids))
        ).update(object_repr=_("Somebody who left"), change_message="")
