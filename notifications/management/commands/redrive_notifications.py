import json
from datetime import timedelta

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from notifications.broker import BrokerAway
from notifications.models import Notification
from notifications.redrive import redrive, redrive_dead_letters


class Command(BaseCommand):
    help = "Try again what has failed: notifications that were given up, and the broker's dead letters."

    def add_arguments(self, parser):
        parser.add_argument(
            "--type", action="append", default=[], choices=Notification.Type.values, help="only this type"
        )
        parser.add_argument(
            "--older-than", type=float, metavar="HOURS", help="only what failed longer ago than this"
        )
        parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
        parser.add_argument("--json", action="store_true", help="say it as JSON")

    def handle(self, *, dry_run, older_than, **options):
        now = timezone.now()
        before = now - timedelta(hours=older_than) if older_than else None
        failed = redrive(types=options["type"], before=before, now=now, dry_run=dry_run)
        letters, trouble = 0, ""
        try:
            letters = redrive_dead_letters(now=now, dry_run=dry_run)
        except BrokerAway as away:
            trouble = f"The dead letters could not be looked at. {away}."
        if options["json"]:
            self.stdout.write(json.dumps({"dry_run": dry_run, "failed": failed, "dead_letters": letters}))
        else:
            self.stdout.write(_sentence(failed, letters, dry_run=dry_run))
        if trouble:
            raise CommandError(trouble)


def _sentence(failed: dict[str, int], letters: int, *, dry_run: bool) -> str:
    verb = "Would try again" if dry_run else "Will try again"
    kinds = ", ".join(f"{count} {kind}" for kind, count in failed.items())
    which = f" ({kinds})" if kinds else ""
    return f"{verb} {sum(failed.values())} notifications{which}; {letters} dead letters."
