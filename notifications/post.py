"""The mail server: one connection, kept open for many mails, and what each of its refusals means.

    it cannot be reached, or takes no mail of ours   MailServerAway  nobody was asked; all mail waits
    it refuses this mail for now (4xx), or is cut     NotNow          this mail is tried again
    it refuses this mail for good (5xx)               Refused         this mail has failed

That it wants a password, or refuses the sender, which is the same for every mail, is the house's to mend.

A connection that was used before and turns out to be cut is opened anew and the mail given once more, since
servers end idle connections as they like. Not so if the whole mail had been given, or the server is silent:
then it may have the mail, or is busy, and the mail waits for its time. If the server did take it then, it
goes twice; the alternative would be not to know whether it went at all.
"""

import smtplib
import time

from django.conf import settings
from django.core.mail import EmailMessage, get_connection

from notifications.smtp import Unanswered

AWAY_SECONDS = 5.0  # for which a server that was away is not asked again
IDLE_SECONDS = 10.0  # after which an unused connection is given up
TOO_LARGE, WHO_ARE_YOU = 552, {530, 535}
_BACKENDS = {"django.core.mail.backends.smtp.EmailBackend": "notifications.smtp.EmailBackend"}


class MailServerAway(Exception):
    """The mail server cannot be reached."""


class NotNow(Exception):
    """The mail server did not take this mail, and may later."""


class Refused(Exception):
    """The mail server will not take this mail."""


class Post:
    def __init__(self) -> None:
        self._connection = None
        self._has_answered = False
        self._used_at = 0.0
        self._away_until = 0.0

    def send(self, mail: EmailMessage) -> None:
        """Hand one mail to the server; returns once the server has taken it.

        Raises:
            MailServerAway, NotNow, Refused: each with its reason, in words for the operator.
        """
        has_answered = self._open()
        try:
            self._hand_over(mail)
        except smtplib.SMTPServerDisconnected as error:
            self.close()
            if not has_answered:
                raise NotNow(f"The mail server cut the connection: {error}") from error
            self._open()
            self._hand_over_again(mail)
        self._used()

    def is_back(self) -> bool:
        """Whether the server can be reached now."""
        try:
            self._open()
        except MailServerAway:
            return False
        return True

    def rest(self) -> None:
        """Give up a connection that has long been idle."""
        if self._connection and time.monotonic() - self._used_at > IDLE_SECONDS:
            self.close()

    def close(self) -> None:
        connection, self._connection, self._has_answered = self._connection, None, False
        if connection:
            try:
                connection.close()
            except (smtplib.SMTPException, OSError):
                return  # it was lost already, which is why it is closed

    def _open(self) -> bool:
        """Connect where there is no connection; returns whether this one has been of use before."""
        if self._connection:
            return self._has_answered
        if time.monotonic() < self._away_until:
            raise MailServerAway(self._why_away)
        connection = get_connection(_BACKENDS.get(settings.EMAIL_BACKEND), timeout=settings.EMAIL_TIMEOUT)
        try:
            connection.open()
        except (smtplib.SMTPException, OSError) as error:
            raise self._away(f"The mail server cannot be reached: {_words(error)}") from error
        self._connection, self._used_at = connection, time.monotonic()
        return False

    def _hand_over_again(self, mail: EmailMessage) -> None:
        try:
            self._hand_over(mail)
        except smtplib.SMTPServerDisconnected as error:
            self.close()
            raise NotNow(f"The mail server cut the connection: {error}") from error

    def _hand_over(self, mail: EmailMessage) -> None:
        try:
            self._connection.send_messages([mail])
        except smtplib.SMTPServerDisconnected:
            raise
        except Unanswered as error:
            self.close()
            raise NotNow(f"The mail server did not say whether it took the mail: {error}") from error
        except smtplib.SMTPRecipientsRefused as error:
            [(code, words)] = error.recipients.values()
            raise self._answered(code, words) from error
        except smtplib.SMTPResponseException as error:
            to_us = isinstance(error, smtplib.SMTPSenderRefused) and error.smtp_code != TOO_LARGE
            raise self._answered(error.smtp_code, error.smtp_error, to_us=to_us) from error
        except (smtplib.SMTPNotSupportedError, ValueError) as error:  # ValueError: no mail can look like this
            raise Refused(f"It cannot be carried as a mail: {_words(error)}") from error
        except (smtplib.SMTPException, OSError) as error:
            self.close()
            self._away(f"The mail server stopped answering: {_words(error)}")
            raise NotNow(self._why_away) from error

    def _answered(
        self, code: int, words: bytes | str, *, to_us: bool = False
    ) -> MailServerAway | NotNow | Refused:
        """`to_us`: whatever the mail, and whoever it is for."""
        words = words.decode(errors="replace") if isinstance(words, bytes) else words
        reason = f"The mail server said {code}: {' '.join(words.split())}"
        if code in WHO_ARE_YOU or (to_us and 500 <= code < 600):
            self.close()
            return self._away(reason)
        if code == 421 or not 400 <= code < 600:
            self.close()
        else:
            self._used()
        return Refused(reason) if 500 <= code < 600 else NotNow(reason)

    def _used(self) -> None:
        self._has_answered, self._used_at = True, time.monotonic()

    def _away(self, why: str) -> MailServerAway:
        """Nobody asks the server for a while."""
        self._why_away, self._away_until = why, time.monotonic() + AWAY_SECONDS
        return MailServerAway(why)


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".rstrip(": ")
