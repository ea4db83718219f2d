"""Whether the work in the background is done: jobs, messages, mail about accounts, the archive."""

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from bookings import archive
from happening import job_runs
from happening.doctor.finding import Finding
from happening.doctor.words import several
from notifications import figures
from orgs.durations import briefly
from orgs.models import AccountMail

WORKER = (
    "Start a worker and beat (`make run`, or `worker` and `beat` of the Procfile), and look in their logs."
)
SENDER = "Start a sender: `python manage.py deliver_notifications`. It logs what keeps it from delivering."
DUE_SECONDS = 300  # that a message may be due and not on its way
SENT_SECONDS = 900  # that it may be on its way and not delivered
MAIL_LATE = timedelta(minutes=5)


def jobs() -> Iterator[Finding]:
    late = job_runs.late(now=timezone.now())
    if not late:
        yield Finding("Jobs", "none is late")
    for one in late:
        failed = ", and its last run failed" if one.run and one.run.outcome == "failed" else ""
        says = f"{one.job}, due every {briefly(one.every)}, was last done at {one.since:%Y-%m-%d %H:%M} UTC"
        yield Finding("Jobs", says + failed, WORKER)


def messages() -> Iterator[Finding]:
    now = timezone.now()
    backlog = figures.backlog(now=now)
    says = f"{several(backlog.due, 'is', 'are')} due, the oldest for {briefly(backlog.oldest_due_seconds)}"
    if backlog.oldest_due_seconds > DUE_SECONDS:
        yield Finding("Messages due", says, f"{WORKER} At once: `python manage.py drain_outbox`.")
    else:
        yield Finding("Messages due", says if backlog.due else "none waits")
    says = f"{several(backlog.sent, 'is', 'are')}, the oldest for {briefly(backlog.oldest_sent_seconds)}"
    if backlog.oldest_sent_seconds > SENT_SECONDS:
        yield Finding("Messages sent", f"{says}, and not delivered", SENDER)
    else:
        yield Finding("Messages sent", f"{says}, on their way" if backlog.sent else "none is on its way")
    failed = several(backlog.failed, "has failed for good", "have failed for good")
    again = "; `python manage.py redrive_notifications` tries them again" if backlog.failed else ""
    yield Finding("Messages failed", f"{failed}{again}")


def account_mail() -> Iterator[Finding]:
    """Mail that is late by more than the pauses between its tries: one that was tried waits for its turn."""
    late = AccountMail.objects.due(at=timezone.now() - MAIL_LATE)
    count = late.count()
    if not count:
        yield Finding("Account mail", "none is late")
        return
    error = late.exclude(last_error=None).values_list("last_error", flat=True).first()
    because = f" ({error})" if error else ""
    yield Finding("Account mail", f"{several(count, 'mail is', 'mails are')} late{because}", WORKER)


def history() -> Iterator[Finding]:
    """Whether old months of the history are taken out, or stay."""
    keep = settings.HISTORY_KEPT_MONTHS
    due = next(archive.due_months(now=timezone.now(), keep=keep), None)
    old = f"the oldest month past {keep} is {due[0]}" if due else f"no month is older than {keep}"
    if not settings.HISTORY_ARCHIVE:
        yield Finding("History", f"everything stays (HISTORY_ARCHIVE is not set); {old}")
    else:
        yield Finding("History", f"archived in {settings.HISTORY_ARCHIVE}; {old}")
