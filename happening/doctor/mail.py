"""Whether mail can leave: the server answers, takes our sender, or the directory can be written to."""

import os
from collections.abc import Iterator
from email.utils import parseaddr
from pathlib import Path

from django.conf import settings
from django.core.mail import get_connection

from happening.doctor.finding import Finding
from happening.doctor.words import first_line

SECONDS = 5
NO_REAL_DOMAIN = (".test", ".example", ".invalid", ".local", "localhost", "example.org", "example.com")
REFUSED = 400


def look() -> Iterator[Finding]:
    address = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    yield _sender(address)
    if path := getattr(settings, "EMAIL_FILE_PATH", None):
        yield _directory(Path(path))
    else:
        yield from _server(address)


def _sender(address: str) -> Finding:
    mend = "Set DEFAULT_FROM_EMAIL, as in `Events <hello@example.org>`, to an address of a domain of yours."
    if "@" not in address:
        return Finding("Sender", f"{settings.DEFAULT_FROM_EMAIL} is no address", mend)
    if not settings.DEVELOPMENT and address.endswith(NO_REAL_DOMAIN):
        return Finding("Sender", f"nobody can answer to {address}", mend)
    return Finding("Sender", settings.DEFAULT_FROM_EMAIL)


def _directory(path: Path) -> Finding:
    holder = next(parent for parent in (path, *path.parents) if parent.exists())
    writable = os.access(holder, os.W_OK | os.X_OK)
    return Finding("Mail", f"files in {path}", "" if writable else f"chmod u+wx {holder}")


def _server(address: str) -> Iterator[Finding]:
    """Ask as a mail would, up to the sender, and send none."""
    where = f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
    link = get_connection(timeout=SECONDS)
    try:
        link.open()
        if server := getattr(link, "connection", None):
            server.ehlo_or_helo_if_needed()
            code, words = server.mail(address)
            if code >= REFUSED:
                says = f"{where} does not take {address} as sender: {code} {words.decode(errors='replace')}"
                yield Finding(
                    "Mail", says, "Set DEFAULT_FROM_EMAIL to a sender that the server lets through."
                )
                return
            server.rset()
    except OSError as error:
        mend = "Start the mail server, or correct EMAIL_URL. Mail waits and is tried again."
        yield Finding("Mail", f"{where} does not take mail: {first_line(error)}", mend)
        return
    finally:
        link.close()
    yield Finding("Mail", f"{where} takes mail from {address}")
