import json

from django.core.management.base import BaseCommand
from django.utils import timezone

from bookings import services
from bookings.reminders import Reminder


class Command(BaseCommand):
    help = "Remind everybody of events whose moment for that has come; the timetable does so each minute."

    def add_arguments(self, parser):
        parser.add_argument("--dry-run", action="store_true", help="only say who would be reminded")
        parser.add_argument("--json", action="store_true", help="say it as JSON")

    def handle(self, *, dry_run, **options):
        now = timezone.now()
        reminders = list(services.due_reminders(now=now))
        found = [_facts(reminder) for reminder in reminders]
        if not dry_run:
            services.owe_reminders(now=now)
            services.run_jobs(now=now)
        if options["json"]:
            self.stdout.write(json.dumps({"dry_run": dry_run, "reminders": found}, ensure_ascii=False))
            return
        if dry_run:
            for facts in found:
                self.stdout.write(f"{facts['title']}, {facts['starts_at']}: {facts['people']:,} people")
        people = sum(facts["people"] for facts in found)
        would = "would be" if dry_run else "are"
        self.stdout.write(f"{people:,} people of {len(found):,} events {would} reminded.")


def _facts(reminder: Reminder) -> dict:
    confirmed = reminder.event.bookings.confirmed_by(reminder.moment)
    return {
        "event": str(reminder.event.pk),
        "title": reminder.event.title,
        "starts_at": reminder.event.local(reminder.event.event_date).isoformat(timespec="minutes"),
        "hours_before": reminder.hours,
        "people": confirmed.values("user_id").distinct().count(),
    }
