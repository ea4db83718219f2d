"""Many people who are signed in, for benchmarks: the one place where people are inserted in bulk."""

from collections.abc import Iterator
from importlib import import_module

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.db import transaction

from orgs.models import User

PAGE = 500


def signed_in_sessions(count: int) -> Iterator[str]:
    """Session keys of p1@load.test to p<count>@load.test, made where they are missing; new ones each time."""
    store = import_module(settings.SESSION_ENGINE).SessionStore
    for first in range(1, count + 1, PAGE):
        numbers = range(first, min(first + PAGE, count + 1))
        with transaction.atomic():
            for person in _people(numbers):
                session = store()
                session[SESSION_KEY] = str(person.pk)
                session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
                session[HASH_SESSION_KEY] = person.get_session_auth_hash()
                session.create()
                yield session.session_key


def _people(numbers: range) -> list[User]:
    """In the order of their numbers, each with a verified address and no password that works."""
    wanted = {f"p{number}@load.test": f"Load person {number}" for number in numbers}
    User.objects.bulk_create(
        [User(email=email, name=name, password="!") for email, name in wanted.items()],
        ignore_conflicts=True,
    )
    people = {person.email: person for person in User.objects.filter(email__in=wanted)}
    verified = set(EmailAddress.objects.filter(email__in=wanted).values_list("email", flat=True))
    EmailAddress.objects.bulk_create(
        EmailAddress(user=people[email], email=email, verified=True, primary=True)
        for email in wanted
        if email not in verified
    )
    return [people[email] for email in wanted]
