import json

from django.core.management.base import BaseCommand
from django.utils import timezone

from notifications import retention


class Command(BaseCommand):
    help = "Forget messages that were delivered, and read, more than thirteen months ago; beat does so daily."

    def add_arguments(self, parser):
        parser.add_argument("--dry-run", action="store_true", help="only say how many would go")
        parser.add_argument("--json", action="store_true", help="one JSON object, for programs")

    def handle(self, *, dry_run, **options):
        now = timezone.now()
        count = retention.done_with(now=now).count() if dry_run else retention.forget(now=now)
        if options["json"]:
            self.stdout.write(json.dumps({"dry_run": dry_run, "messages": count}))
        else:
            self.stdout.write(f"{count} messages {'would be' if dry_run else 'are'} forgotten.")
