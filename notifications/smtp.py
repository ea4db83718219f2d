"""What is said to a mail server for each mail: to one person, in few words.

Django's backend opens and closes the connection, with its encryption and its password. For each mail its way
reads every address four times over, which takes longer than to carry the mail. Where the server has
PIPELINING (RFC 2920) the three commands before the mail go out together, which saves two waits of four; each
has an answer of its own still, and the mail goes only after three good ones.
"""

import re
import smtplib
from contextlib import suppress
from email.utils import parseaddr
from functools import lru_cache

from django.core.mail import EmailMessage
from django.core.mail.backends import smtp
from django.core.mail.message import sanitize_address

OK, WILL_FORWARD, GO_AHEAD, LEAVING = 250, 251, 354, 421

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_PLAIN = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")


class EmailBackend(smtp.EmailBackend):
    def send_messages(self, mails: list[EmailMessage]) -> int:
        """Over the connection that is open; each mail is for one person.

        Raises:
            smtplib.SMTPException: of those whose mails are left, the first was not taken.
            ValueError: no mail can look like this.
        """
        for mail in mails:
            [recipient] = mail.recipients()
            octets = mail.message().as_bytes(linesep="\r\n")
            _carry(self.connection, address(mail.from_email), address(recipient), octets)
        return len(mails)


def address(written: str) -> str:
    """As it stands in a command: without a name, and in ASCII.

    Raises:
        ValueError: it is none.
    """
    return written if _PLAIN.fullmatch(written) else _read(written)


@lru_cache(maxsize=256)
def _read(written: str) -> str:
    return parseaddr(sanitize_address(written, "utf-8"))[1]


def _carry(line: smtplib.SMTP, sender: str, recipient: str, octets: bytes) -> None:
    line.ehlo_or_helo_if_needed()
    size = f" SIZE={len(octets)}" if line.has_extn("size") else ""
    _announce(
        line,
        (f"MAIL FROM:<{sender}>{size}", [OK]),
        (f"RCPT TO:<{recipient}>", [OK, WILL_FORWARD]),
        ("DATA", [GO_AHEAD]),
    )
    if octets.startswith(b".") or b"\n." in octets:
        octets = re.sub(rb"(?m)^\.", b"..", octets)
    line.send(octets + b".\r\n")
    code, words = line.getreply()
    if code != OK:
        raise _refusal(line, code, words)


def _announce(line: smtplib.SMTP, *commands: tuple[str, list[int]]) -> None:
    """Say the commands, each of which must find a good answer."""
    refused, is_together = None, line.has_extn("pipelining")
    if is_together:
        line.send("".join(f"{_one_line(command)}\r\n" for command, _ in commands))
    for command, good in commands:
        if not is_together:
            line.putcmd(_one_line(command))
        code, words = line.getreply()
        if code not in good:
            refused = refused or (code, words)
            if code == LEAVING or not is_together:
                break
    if refused:
        if code == GO_AHEAD:  # though there is nobody to go to: RFC 2920 has us end the mail unsaid
            line.send(".\r\n")
            line.getreply()
        raise _refusal(line, *refused)


def _refusal(line: smtplib.SMTP, code: int, words: bytes) -> smtplib.SMTPResponseException:
    """What the server has answered, as an error; the connection is fit for the next mail, or closed."""
    if code == LEAVING:
        line.close()
    else:
        with suppress(smtplib.SMTPServerDisconnected):
            line.rset()
    return smtplib.SMTPResponseException(code, words)


def _one_line(command: str) -> str:
    if not (command.isascii() and command.isprintable()):
        raise ValueError(f"This would be more than one command: {command!r}")
    return command
