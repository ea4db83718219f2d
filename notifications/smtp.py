"""What is said to a mail server for each mail: to one person, in few words.

Django's backend opens and closes the connection, with its encryption and its password. For each mail its way
reads every address four times over, which takes longer than to carry the mail. Where the server has
PIPELINING (RFC 2920) the three commands before the mail go out together, which saves two waits of four; each
has an answer of its own still, and the mail goes only after three good ones.

Up to the mail's last dot nothing has been taken. From there on the server has what it needs, so it is given
long to answer (RFC 5321, 4.5.3.2.6), and if it does not, nobody knows whether it took the mail (Unanswered).
"""

import re
import smtplib
from contextlib import suppress
from email.utils import parseaddr
from functools import lru_cache

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends import smtp
from django.core.mail.message import sanitize_address

OK, WILL_FORWARD, GO_AHEAD, LEAVING = 250, 251, 354, 421

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_PLAIN = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")


class Unanswered(Exception):
    """The server has been given the whole mail and has not said whether it took it."""


class EmailBackend(smtp.EmailBackend):
    def send_messages(self, mails: list[EmailMessage]) -> int:
        """Over the connection that is open; each mail is for one person.

        Raises:
            smtplib.SMTPException: of those whose mails are left, the first was not taken.
            TimeoutError: nor was it, since the server did not answer in time.
            Unanswered: it may have been.
            ValueError: no mail can look like this.
        """
        for mail in mails:
            [recipient] = mail.recipients()
            octets = mail.message().as_bytes(linesep="\r\n")
            try:
                _carry(self.connection, address(mail.from_email), address(recipient), octets)
            except smtplib.SMTPServerDisconnected as error:
                if isinstance(error.__context__, TimeoutError):  # smtplib has one name for both
                    raise TimeoutError("no answer in time") from error
                raise
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
    code, words = _verdict(line)
    if code != OK:
        _begin_anew(line, code)
        raise smtplib.SMTPResponseException(code, words)


def _verdict(line: smtplib.SMTP) -> tuple[int, bytes]:
    """What the server says to the whole mail."""
    patience = line.sock.gettimeout()
    line.sock.settimeout(settings.EMAIL_TAKING_TIMEOUT)
    try:
        answer = line.getreply()
    except smtplib.SMTPServerDisconnected as error:
        raise Unanswered(str(error)) from error
    line.sock.settimeout(patience)
    return answer


def _announce(line: smtplib.SMTP, *commands: tuple[str, list[int]]) -> None:
    """Say the commands, each of which must find a good answer."""
    refused: smtplib.SMTPResponseException | None = None
    is_together = line.has_extn("pipelining")
    if is_together:
        line.send("".join(f"{_one_line(command)}\r\n" for command, _ in commands))
    for command, good in commands:
        if not is_together:
            line.putcmd(_one_line(command))
        code, words = line.getreply()
        if code not in good:
            refused = refused or _error(command, code, words)
            if code == LEAVING or not is_together:
                break
    if refused:
        if code == GO_AHEAD:  # though there is nobody to go to: RFC 2920 has us end the mail unsaid
            line.send(".\r\n")
            line.getreply()
        _begin_anew(line, refused.smtp_code)
        raise refused


def _error(command: str, code: int, words: bytes) -> smtplib.SMTPResponseException:
    if command.startswith("MAIL"):
        return smtplib.SMTPSenderRefused(code, words, command)
    return smtplib.SMTPResponseException(code, words)


def _begin_anew(line: smtplib.SMTP, code: int) -> None:
    """After a refusal: the connection is fit for the next mail, or closed."""
    if code == LEAVING:
        line.close()
    else:
        with suppress(smtplib.SMTPServerDisconnected):  # then smtplib has closed it
            line.rset()


def _one_line(command: str) -> str:
    if not (command.isascii() and command.isprintable()):
        raise ValueError(f"This would be more than one command: {command!r}")
    return command
