from django.utils import timezone

from orgs import postman
from orgs.by_hand import JobCommand
from orgs.models import AccountMail


class Command(JobCommand):
    help = "Send the mail about accounts that is due; the worker does so at once, and every ten seconds."
    job = "send_account_mail"

    def do(self, *, now):
        sent = postman.send_due(clock=timezone.now, seconds=float("inf"))
        return {"mails": sent, "waiting": AccountMail.objects.pending().count()}

    def look(self, *, now):
        due = AccountMail.objects.due(at=now).count()
        return {"mails": due, "waiting": AccountMail.objects.pending().count() - due}

    def sentence(self, facts, *, is_dry):
        verb = "would be" if is_dry else "are"
        return f"{facts['mails']:,} mails {verb} sent, {facts['waiting']:,} wait for another try."
