from orgs import invites
from orgs.by_hand import JobCommand


class Command(JobCommand):
    help = "Mark the invites that have run out; beat does so every hour."
    job = "expire_invites"

    def do(self, *, now):
        return {"invites": invites.expire(now=now)}

    def look(self, *, now):
        return {"invites": invites.run_out(now=now).count()}

    def sentence(self, facts, *, is_dry):
        return f"{facts['invites']} invites have run out{' and would be marked' if is_dry else ''}."
