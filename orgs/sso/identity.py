"""Whose account a proven identity is: the subject decides, an address never does."""

import re
from datetime import datetime

from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction

from orgs.models import User
from orgs.models.fields import ADDRESS
from orgs.sso import groups
from orgs.sso.errors import AccountClosed, AddressTaken, AddressUnproven, IdentityTaken, TokenRefused

LONGEST_SUBJECT = User._meta.get_field("keycloak_id").max_length
LONGEST_ADDRESS = User._meta.get_field("email").max_length
LONGEST_NAME = User._meta.get_field("name").max_length


def account_of(claims: dict, *, now: datetime) -> User:
    """The account that belongs to this identity; a new one where none does.

    Raises:
        AccountClosed: it is suspended.
        AddressUnproven: a new account would have an address that the provider has not verified.
        AddressTaken: an account with that address exists, and taking it over is not for us to decide.
    """
    subject = _subject(claims)
    try:
        with transaction.atomic(durable=True):
            person = (
                User.objects.select_for_update(no_key=True, of=("self",)).filter(keycloak_id=subject).first()
            )
            if person is None:
                person = _make(subject, claims)
            elif not person.is_active:
                raise AccountClosed
            elif not person.has_usable_password():
                _follow_address(person, claims)
            groups.follow(person, claims, now=now)
    except IntegrityError:  # somebody took the address, or the same person came twice, a moment ago
        person = User.objects.filter(keycloak_id=subject).first()
        if person is None:
            raise AddressTaken from None
    return person


def link(person: User, claims: dict, *, now: datetime) -> User:
    """Let this identity sign in to `person`'s account from now on.

    Raises:
        IdentityTaken: it belongs to somebody else, or this account to another identity.
    """
    subject = _subject(claims)
    try:
        with transaction.atomic(durable=True):
            person = User.objects.select_for_update(no_key=True, of=("self",)).get(pk=person.pk)
            if person.keycloak_id not in (None, subject):
                raise IdentityTaken
            person.keycloak_id = subject
            person.save(update_fields=["keycloak_id"])
            groups.follow(person, claims, now=now)
    except IntegrityError:
        raise IdentityTaken from None
    return person


def unlink(person: User, *, now: datetime) -> None:
    """Only the password signs in to this account from now on; what came from groups goes."""
    with transaction.atomic(durable=True):
        User.objects.filter(pk=person.pk).update(keycloak_id=None)
        groups.follow(person, {"groups": []}, now=now)


def is_managed_elsewhere(person: User) -> bool:
    """Whether this person signs in by Keycloak alone, so that address and password are kept there."""
    return person.keycloak_id is not None and not person.has_usable_password()


def _make(subject: str, claims: dict) -> User:
    email = _proven_address(claims)
    if email is None:
        raise AddressUnproven
    if _is_taken(email):
        raise AddressTaken
    person = User(keycloak_id=subject, email=email, name=_name(claims, email))
    person.set_unusable_password()
    person.save()
    EmailAddress.objects.create(user=person, email=email, verified=True, primary=True)
    return person


def _follow_address(person: User, claims: dict) -> None:
    """Who is managed elsewhere has the address that they have there, unless somebody has it here."""
    email = _proven_address(claims)
    if email in (None, person.email) or _is_taken(email):
        return
    EmailAddress.objects.filter(user=person).delete()
    person.email = email
    person.save(update_fields=["email"])
    EmailAddress.objects.create(user=person, email=email, verified=True, primary=True)


def _subject(claims: dict) -> str:
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT or "\x00" in subject:
        raise TokenRefused("subject")
    return subject


def _proven_address(claims: dict) -> str | None:
    """In lower case; None unless the provider says, in so many words, that it has verified it."""
    email = claims.get("email")
    if claims.get("email_verified") is not True or not isinstance(email, str):
        return None
    email = email.strip().lower()
    return email if re.fullmatch(ADDRESS, email) and len(email) <= LONGEST_ADDRESS else None


def _is_taken(email: str) -> bool:
    return (
        User.objects.filter(email__iexact=email).exists()
        or EmailAddress.objects.filter(email__iexact=email).exists()
    )


def _name(claims: dict, email: str) -> str:
    name = claims.get("name") or claims.get("preferred_username")
    name = " ".join(str(name or "").replace("\x00", "").split()) or email.partition("@")[0]
    return name[:LONGEST_NAME]
