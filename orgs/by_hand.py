"""What the commands of the timetable's jobs share: run by hand what the worker runs by itself.

manage.py advance_events             does it, alone: where the worker is at it just then, waits for its end
manage.py advance_events --dry-run   says what would be done, and changes nothing
"""

import json
from collections.abc import Callable

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from orgs.only_run import only_run

PATIENCE = 15.0  # seconds for a worker to end its run


class JobCommand(BaseCommand):
    """`job`: its name on the timetable. `do` and `look` return what was, or would be, done, as facts."""

    job: str
    do: Callable[..., dict]
    look: Callable[..., dict]

    def sentence(self, facts: dict, *, is_dry: bool) -> str:
        """The same in one line."""
        raise NotImplementedError

    def add_arguments(self, parser):
        parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
        parser.add_argument("--json", action="store_true", help="one JSON object, for programs")

    def handle(self, *, dry_run, **options):
        now = timezone.now()
        facts = self.look(now=now) if dry_run else self._alone(now)
        if options["json"]:
            self.stdout.write(json.dumps({"dry_run": dry_run, **facts}))
        else:
            self.stdout.write(self.sentence(facts, is_dry=dry_run))

    def _alone(self, now) -> dict:
        with only_run(self.job, patience=PATIENCE) as is_ours:
            if not is_ours:
                raise CommandError(f"Another run of {self.job} is under way, and does the same.")
            return self.do(now=now)
