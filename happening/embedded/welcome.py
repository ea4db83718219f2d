"""What `make run` tells: which services it uses, where to look, and who can sign in."""

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from happening.demo.people import ACCOUNTS, PASSWORD, PLATFORM_STAFF, ROLES

from .lease import CHECKOUT
from .place import Place, is_embedded


def what_is_used(place: Place) -> Iterator[str]:
    yield f"PostgreSQL  {_whose('DATABASE_URL', place)}"
    yield f"Redis       {_whose('REDIS_URL', place)}"
    if os.environ.get("AMQP_URL"):
        yield f"RabbitMQ    {_host('AMQP_URL')}"
    else:
        yield "RabbitMQ    none answers on 127.0.0.1:5672; the worker is asked through Redis, and mails"


def banner(address: str, place: Place) -> Iterator[str]:
    port = urlsplit(address).port
    yield ""
    yield f"Happening is served at {address}"
    yield f"    organizations  http://acme.localhost:{port}  http://globex.localhost:{port}"
    yield f"    admin          {address}/admin/"
    yield f"    mail           {short(place.data)}/mail/ (its links are printed here)"
    if issuer := os.environ.get("OIDC_ISSUER"):
        yield f"    SSO            {issuer}, the same people, and nora@acme.test, who is new here"
    yield f"    sign in as, with the password {PASSWORD}"
    for email in ACCOUNTS:
        yield f"        {email:<20} {_who(email)}"
    yield "Ctrl-C ends it."
    yield ""


def _who(email: str) -> str:
    if email == PLATFORM_STAFF:
        return "the platform's staff"
    organization, role = ROLES.get(email, (None, None))
    return f"{role} of {organization.capitalize()}" if role else "attends events"


def short(path: Path) -> str:
    """The path as one would type it in the checkout."""
    resolved = path.resolve()
    return str(resolved.relative_to(CHECKOUT) if resolved.is_relative_to(CHECKOUT) else resolved)


def _whose(variable: str, place: Place) -> str:
    if is_embedded(os.environ[variable]):
        return f"of its own, data in {short(place.servers)}"
    return _host(variable)


def _host(variable: str) -> str:
    """The host of a given URL, without its password."""
    url = urlsplit(os.environ[variable])
    whence = f"from {variable}"
    if variable == "AMQP_URL" and (instance := os.environ.get("HAPPENING_INSTANCE")):
        whence = f"found there; names on it begin with {instance}"
    return f"{url.hostname or url.path}{f':{url.port}' if url.port else ''}, {whence}"
