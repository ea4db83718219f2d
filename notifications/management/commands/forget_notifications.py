from notifications import retention
from orgs.by_hand import JobCommand


class Command(JobCommand):
    help = "Forget messages that were delivered, and read, more than thirteen months ago; beat does so daily."
    job = "forget_notifications"

    def do(self, *, now):
        return {"messages": retention.forget(now=now)}

    def look(self, *, now):
        return {"messages": retention.done_with(now=now).count()}

    def sentence(self, facts, *, is_dry):
        return f"{facts['messages']} messages {'would be' if is_dry else 'are'} forgotten."
