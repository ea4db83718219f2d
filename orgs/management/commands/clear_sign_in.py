from orgs import sign_in_remains
from orgs.by_hand import JobCommand


class Command(JobCommand):
    help = "Forget sessions that have run out and tokens too old to be used again; beat does so every hour."
    job = "clear_sign_in"

    def do(self, *, now):
        return sign_in_remains.clear(now=now)

    def look(self, *, now):
        return sign_in_remains.count(now=now)

    def sentence(self, facts, *, is_dry):
        verb = "would be" if is_dry else "are"
        return f"{facts['sessions']:,} sessions and {facts['tokens']:,} tokens {verb} forgotten."
