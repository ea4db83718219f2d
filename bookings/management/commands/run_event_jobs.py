from bookings import services
from bookings.models import EventJob
from orgs.by_hand import JobCommand


class Command(JobCommand):
    help = "Do what events owe now (cancelling, telling, settling, reminding); beat asks every five seconds."
    job = "run_event_jobs"

    def do(self, *, now):
        return {"jobs": services.run_jobs(now=now), "failed": EventJob.objects.due(at=now).count()}

    def look(self, *, now):
        return {"jobs": EventJob.objects.due(at=now).count(), "failed": 0}

    def sentence(self, facts, *, is_dry):
        if is_dry:
            return f"{facts['jobs']:,} jobs of events would be done."
        failed = f", {facts['failed']:,} failed: see above" if facts["failed"] else ""
        return f"{facts['jobs']:,} jobs of events are done{failed}."
