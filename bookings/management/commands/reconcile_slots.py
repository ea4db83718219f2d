import json
import sys
from dataclasses import asdict
from uuid import UUID

from django.core.management.base import BaseCommand
from django.utils import timezone

from bookings.reconcile import Report, begin_counters, reconcile
from events.models import Event


class Command(BaseCommand):
    help = (
        "Compare seats left, free runs, the counter and the line in Redis with the seats booked, and mend "
        "what is derived. Of events that are named, a counter that is missing or from before an outage is "
        "begun. Without arguments: the events where anything happened lately."
    )

    def add_arguments(self, parser):
        parser.add_argument("events", nargs="*", type=UUID, help="ids of the events to look at")
        parser.add_argument("--all", action="store_true", help="look at every event there is")
        parser.add_argument("--dry-run", action="store_true", help="look only; exits 1 if anything differs")
        parser.add_argument("--json", action="store_true", help="one JSON object, for programs")

    def handle(self, *, events, dry_run, **options):
        ids = Event.objects.values_list("pk", flat=True) if options["all"] else events or None
        report = reconcile(now=timezone.now(), event_ids=ids, dry_run=dry_run)
        if events and not dry_run and not report.redis_is_away:
            begin_counters(events)
        if options["json"]:
            self.stdout.write(json.dumps(_as_facts(report), indent=2, default=str))
        else:
            self._tell(report)
        if not report.is_clean:
            sys.exit(1)

    def _tell(self, report: Report) -> None:
        for drift in report.drifts:
            mended = "mended" if drift.mended else "not mended"
            self.stdout.write(
                f"Event {drift.event_id}: {drift.what} is {drift.was}, should be {drift.should_be} "
                f"({drift.size:+d}); {mended}."
            )
        if report.redis_is_away:
            self.stderr.write("Redis does not answer, so its counters could not be compared.")
        if report.failed:
            named = ", ".join(map(str, report.failed))
            self.stderr.write(f"Could not be mended, for the reasons in the log: {named}.")
        self.stdout.write(f"{report.looked_at} events compared, {len(report.drifts)} differences.")


def _as_facts(report: Report) -> dict:
    return {
        "ok": report.is_clean,
        "events": report.looked_at,
        "redis": "away" if report.redis_is_away else "ok",
        "failed": report.failed,
        "drifts": [asdict(drift) | {"size": drift.size} for drift in report.drifts],
    }
