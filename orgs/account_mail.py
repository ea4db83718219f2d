"""Mail about accounts: one queue for what confirms an address, resets a password, invites or tells of a role.

A request only writes a row (`post`), so signing up works while the mail server is down and while the broker
is. A task sends (`orgs.postman`): asked at once by a nudge, and by the timetable in any case. What fails for
a while is tried again, more and more rarely, for a day; then it has failed, says why, and can be sent again.

The text holds links that open accounts. It is sealed (`orgs.sealing`), so that the database or a backup of it
does not give them away, and it is emptied when the mail is sent, or three days after it failed.
"""

import json
import re
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from orgs.models import AccountMail
from orgs.models.fields import ADDRESS
from orgs.nudge import nudge
from orgs.sealing import seal

TASK = "happening.send_account_mail"
LONGEST_SUBJECT = AccountMail._meta.get_field("subject").max_length
LONGEST_ADDRESS = AccountMail._meta.get_field("recipient").max_length


class NoAddress(ValueError):
    """What should be written to is not an address that mail can be sent to."""


class TextGone(Exception):
    """The mail cannot be sent again: its text, which opened an account, is not kept any more."""


def post(
    *,
    kind: str,
    to: str,
    subject: str,
    text: str,
    now: datetime,
    html: str | None = None,
    user_id: UUID | None = None,
    organization_id: UUID | None = None,
) -> AccountMail:
    """Owe somebody a mail, in the caller's transaction where one is open.

    `kind` is one of `AccountMail.Kind`; line breaks in `subject` become spaces; `user_id` says whose account
    it is about, `organization_id` whose invitation.

    Raises:
        NoAddress: `to` is not one address, and nothing else.
    """
    if not re.fullmatch(ADDRESS, to) or len(to) > LONGEST_ADDRESS:
        raise NoAddress
    mail = AccountMail.objects.create(
        kind=kind,
        recipient=to,
        subject=" ".join(subject.split())[:LONGEST_SUBJECT],
        sealed=seal(json.dumps({"text": text, "html": html})),
        due_at=now,
        give_up_at=now + AccountMail.KEEPS_TRYING,
        user_id=user_id,
        organization_id=organization_id,
        created_at=now,
        updated_at=now,
    )
    transaction.on_commit(lambda: nudge(TASK))
    return mail


def send_again(*, mail_id: UUID, now: datetime) -> None:
    """Try a mail that failed, or that waits for its next try, once more and at once.

    Raises:
        AccountMail.DoesNotExist
        TextGone: it was sent, or it failed too long ago; let the person ask for a new one.
    """
    with transaction.atomic(durable=True):
        mail = AccountMail.objects.select_for_update(no_key=True, of=("self",)).get(pk=mail_id)
        if mail.sealed is None:
            raise TextGone
        mail.status, mail.failed_at = AccountMail.Status.PENDING, None
        mail.due_at, mail.give_up_at = now, now + AccountMail.KEEPS_TRYING
        mail.save(update_fields=["status", "failed_at", "due_at", "give_up_at"])
        transaction.on_commit(lambda: nudge(TASK))


def tidy(*, now: datetime) -> dict[str, int]:
    """Empty the texts of what failed some days ago, and forget what was done with a month ago; returns how
    many mails were emptied and how many forgotten."""
    forgotten, _ = _done_with(now=now).delete()
    return {"emptied": _to_empty(now=now).update(sealed=None), "forgotten": forgotten}


def count_untidy(*, now: datetime) -> dict[str, int]:
    """What `tidy` would do."""
    done = _done_with(now=now)
    return {"emptied": _to_empty(now=now).exclude(pk__in=done).count(), "forgotten": done.count()}


def _to_empty(*, now: datetime) -> QuerySet[AccountMail]:
    failed = AccountMail.objects.filter(status="failed", failed_at__lt=now - AccountMail.TEXT_KEPT)
    return failed.exclude(sealed=None)


def _done_with(*, now: datetime) -> QuerySet[AccountMail]:
    return AccountMail.objects.exclude(status="pending").filter(created_at__lt=now - AccountMail.KEPT)
