"""Sends what `orgs.account_mail` owes: one mail after the other over a connection that stays open.

A mail is claimed with a lease and the claim is committed; then it is sent; then it is marked. A process that
dies in between leaves a lease that runs out, so at worst a mail comes twice. A server that cannot be reached
ends the round, so that many mails do not each wait for it; each is tried again at its own time.

One round at a time, and of some seconds: a mail server that is slow or silent keeps one worker from other
work, not all of them, and no round is so long that Celery would kill it with a mail in hand.
"""

import json
import logging
import smtplib
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.db import transaction

from orgs.crash_points import crash_point
from orgs.models import AccountMail
from orgs.sealing import SealBroken, unseal

LEASE = timedelta(minutes=5)  # longer than a mail takes whose server stalls at every step
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=10), timedelta(minutes=5)
RUN_SECONDS = 20.0  # after which a round ends even where more is due: the next one goes on

logger = logging.getLogger(__name__)


def send_due(*, clock: Callable[[], datetime], seconds: float = RUN_SECONDS) -> int:
    """Send until nothing is due, the server takes no mail now, or `seconds` are over; returns how many mails
    it took."""
    deadline = time.monotonic() + seconds
    with Postman() as postman:
        while postman.send_next(clock=clock) and time.monotonic() < deadline:
            continue
        return postman.sent


class Postman:
    """A round: `with Postman() as postman`, then `send_next` until there is nothing to do."""

    def __enter__(self) -> "Postman":
        self.connection, self.sent = get_connection(), 0
        return self

    def __exit__(self, *_) -> None:
        self.connection.close()

    def send_next(self, *, clock: Callable[[], datetime]) -> bool:
        """Send the mail that has been due longest; returns whether to go on: False when nothing is due or
        the server does not take mail now."""
        mail = _claim(now=clock())
        if mail is None:
            return False
        crash_point("account_mail:claimed")
        try:
            self.connection.open()
            self.connection.send_messages([_message(mail)])
        except Exception as error:  # whatever a backend can throw: the row says so and is tried again
            self.connection.close()
            return _put_back(mail, error, now=clock())
        crash_point("account_mail:sent")
        self.sent += 1
        _mine(mail).update(
            status=AccountMail.Status.SENT,
            sent_at=clock(),
            sealed=None,
            lease_until=None,
            last_error=None,
        )
        return True


def _claim(*, now: datetime) -> AccountMail | None:
    """The next mail, ours until the lease runs out."""
    with transaction.atomic(durable=True):
        due = AccountMail.objects.due(at=now).order_by("due_at", "id")
        mail = due.select_for_update(no_key=True, skip_locked=True, of=("self",)).first()
        if mail:
            mail.attempts += 1
            mail.lease_until = now + LEASE
            mail.save(update_fields=["attempts", "lease_until"])
    return mail


def _mine(mail: AccountMail):
    """The mail's row as we claimed it; none once somebody else did, after us."""
    return AccountMail.objects.filter(pk=mail.pk, status="pending", attempts=mail.attempts)


def _message(mail: AccountMail) -> EmailMultiAlternatives:
    words = json.loads(unseal(mail.sealed))
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">")
    message = EmailMultiAlternatives(
        mail.subject,
        words["text"],
        to=[mail.recipient],
        headers={"Message-ID": f"<account-{mail.pk}@{domain}>", "Auto-Submitted": "auto-generated"},
    )
    if words["html"]:
        message.attach_alternative(words["html"], "text/html")
    return message


def _put_back(mail: AccountMail, error: Exception, *, now: datetime) -> bool:
    """Try again later, or give up; returns whether the server may well take the next mail."""
    reason = f"{type(error).__name__}: {error}"[:1_000]
    is_refused = _is_refused(error)
    if is_refused or now >= mail.give_up_at:
        logger.warning("Account mail %s has failed. %s", mail.pk, reason)
        _mine(mail).update(
            status=AccountMail.Status.FAILED, failed_at=now, last_error=reason, lease_until=None
        )
        return is_refused
    logger.info("Account mail %s could not be sent yet. %s", mail.pk, reason)
    wait = min(FIRST_WAIT * 2 ** min(mail.attempts - 1, 10), LONGEST_WAIT)
    _mine(mail).update(due_at=now + wait, last_error=reason, lease_until=None)
    return isinstance(error, smtplib.SMTPRecipientsRefused | smtplib.SMTPDataError)


def _is_refused(error: Exception) -> bool:
    """Whether this mail will never be taken, however often it is tried. A server that takes no mail of ours
    at all (a wrong password, an unknown sender) is for the operator to mend, and worth waiting for."""
    match error:
        case smtplib.SMTPRecipientsRefused():
            return all(code >= 500 for code, _ in error.recipients.values())
        case smtplib.SMTPDataError():
            return error.smtp_code >= 500
        case _:
            return isinstance(error, ValueError | SealBroken)
