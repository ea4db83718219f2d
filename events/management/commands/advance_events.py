from events import services
from orgs.by_hand import JobCommand


class Command(JobCommand):
    help = "Let events begin and end by the clock: upcoming, ongoing, completed; beat does so every minute."
    job = "advance_events"

    def do(self, *, now):
        return services.advance(now=now)

    def look(self, *, now):
        return services.count_behind(now=now)

    def sentence(self, facts, *, is_dry):
        verb = "would become" if is_dry else "are now"
        return f"{facts['ongoing']} events {verb} ongoing, {facts['completed']} completed."
