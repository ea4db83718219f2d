from bookings import services
from orgs.by_hand import JobCommand


class Command(JobCommand):
    help = "Let go, and tell, everybody who still waits for an event whose booking has closed."
    job = "close_waitlists"

    def do(self, *, now):
        return {"bookings": services.close_waitlists(now=now)}

    def look(self, *, now):
        return {"bookings": services.count_to_let_go(now=now)}

    def sentence(self, facts, *, is_dry):
        verb = "would be" if is_dry else "were"
        return f"{facts['bookings']} waiting bookings {verb} cancelled as not promoted."
