"""Whether each service's door answers: a connection that is opened and closed, all at once and soon given up.

A web process speaks no AMQP, and nobody who looks at a page waits for a mail server; what goes on behind the
doors is what `manage.py doctor` asks.
"""

import socket
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext_lazy as _

PATIENCE = 0.4  # seconds for a connection
ENOUGH = 1.0  # second for all of it: nothing else bounds the search for a name's address
PORTS = {"redis": 6379, "rediss": 6379, "amqp": 5672, "amqps": 5671, "http": 80, "https": 443}


@dataclass(frozen=True)
class Service:
    """`answers` is None where there is none."""

    name: str
    answers: bool | None
    without: str  # what people notice while it is away


def services() -> list[Service]:
    """PostgreSQL is not among them: without it there is no page."""
    doors = [
        ("Redis", settings.REDIS_URL, _("Everything is a little slower; PostgreSQL alone guards the seats.")),
        ("RabbitMQ", settings.AMQP_URL, _("Mail comes later; the inbox shows it at once.")),
        (_("Mail server"), _mail_server(), _("Mail comes later.")),
        (_("Single sign-on"), settings.OIDC_ISSUER, _("People sign in by email.")),
    ]
    at_once = ThreadPoolExecutor(len(doors))
    asked = [at_once.submit(_answers, url) for _name, url, _without in doors]
    answered, _late = wait(asked, timeout=ENOUGH)
    at_once.shutdown(wait=False)
    return [
        Service(name, one.result() if one in answered else False, without)
        for (name, _url, without), one in zip(doors, asked, strict=True)
    ]


def _mail_server() -> str:
    """None where mails are files."""
    if getattr(settings, "EMAIL_FILE_PATH", None):
        return ""
    return f"smtp://{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"


def _answers(url: str) -> bool | None:
    if not url:
        return None
    parts = urlsplit(url)
    try:
        if parts.scheme == "unix":
            with socket.socket(socket.AF_UNIX) as door:
                door.settimeout(PATIENCE)
                door.connect(parts.path)
        else:
            address = (parts.hostname, parts.port or PORTS[parts.scheme])
            socket.create_connection(address, timeout=PATIENCE).close()
    except OSError:
        return False
    return True
