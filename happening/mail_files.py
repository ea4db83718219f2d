"""Mail in development: each becomes a file that can be read as it is, and its links stand in the log.

    .data/mail/20260131-142501-123456_ada-acme-test_please-confirm.eml
    .data/mail/20260131-142501-123456_ada-acme-test_please-confirm.html      where there is an HTML part
    .data/mail/20260131-142501-123456_ada-acme-test_please-confirm_invite.ics  what is attached and is text

The file has the headers and the text as they are, not as they travel (no base64, no quoted-printable).
It is written aside and renamed, so that whoever watches the directory never reads half a mail.
"""

import logging
import os
import re
import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.utils.text import slugify

logger = logging.getLogger("happening.mail")

LINK = re.compile(r"https?://[^\s<>\"')\]]+")
LONGEST_NAME = 60  # characters of an address or a subject in a file's name


class EmailBackend(BaseEmailBackend):
    """Writes to `settings.EMAIL_FILE_PATH`."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        directory = Path(settings.EMAIL_FILE_PATH)
        directory.mkdir(parents=True, exist_ok=True)
        for message in email_messages:
            message.message()  # refuses what a mail server would, such as a line break in a header
            _write(message, directory)
            logger.info(_in_one_line(message))
        return len(email_messages)


def _write(message: EmailMessage, directory: Path) -> None:
    stem = _name(message)
    _write_whole(directory / f"{stem}.eml", _readable(message))
    for content, mimetype in getattr(message, "alternatives", []):
        if mimetype == "text/html":
            _write_whole(directory / f"{stem}.html", content)
    for attachment in message.attachments:
        if isinstance(getattr(attachment, "content", None), str):
            _write_whole(directory / f"{stem}_{Path(attachment.filename or 'part').name}", attachment.content)


def _name(message: EmailMessage) -> str:
    words = [", ".join(message.recipients()), message.subject]
    slugs = [slugify(re.sub(r"[@.]", "-", word))[:LONGEST_NAME].strip("-") or "nobody" for word in words]
    return "_".join([f"{datetime.now():%Y%m%d-%H%M%S-%f}", *slugs])


def _readable(message: EmailMessage) -> str:
    headers = {
        "From": message.from_email,
        "To": ", ".join(message.to),
        "Cc": ", ".join(message.cc),
        "Bcc": ", ".join(message.bcc),
        "Reply-To": ", ".join(message.reply_to),
        "Subject": message.subject,
        **message.extra_headers,
        "Attached": ", ".join(_attachment_names(message)),
    }
    lines = [f"{name}: {_flat(value)}" for name, value in headers.items() if value]
    return "\n".join([*lines, "", message.body, ""])


def _attachment_names(message: EmailMessage) -> list[str]:
    return [str(getattr(attachment, "filename", None) or "a part") for attachment in message.attachments]


def _in_one_line(message: EmailMessage) -> str:
    links = " ".join(dict.fromkeys(link.rstrip(".,;:!?") for link in LINK.findall(message.body)))
    return f"Mail to {', '.join(message.recipients())}: {_flat(message.subject)} {links}".strip()


def _flat(value: object) -> str:
    return " ".join(str(value).split())


def _write_whole(path: Path, text: str) -> None:
    with tempfile.NamedTemporaryFile(
        "w", dir=path.parent, prefix=".", delete=False, encoding="utf-8"
    ) as file:
        file.write(text)
    os.replace(file.name, path)
