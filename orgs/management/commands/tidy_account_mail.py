from orgs import account_mail
from orgs.by_hand import JobCommand


class Command(JobCommand):
    help = "Empty account mail that failed days ago, forget what is a month old; beat does so every hour."
    job = "tidy_account_mail"

    def do(self, *, now):
        return account_mail.tidy(now=now)

    def look(self, *, now):
        return account_mail.count_untidy(now=now)

    def sentence(self, facts, *, is_dry):
        verb = "would be" if is_dry else "are"
        return f"{facts['emptied']:,} mails {verb} emptied, {facts['forgotten']:,} forgotten."
