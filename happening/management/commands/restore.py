"""`manage.py restore`: a backup into an empty database, and the proof that it is whole."""

import json
import sys
from pathlib import Path

from django.core.management import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from happening import backups
from happening.postgres_programs import ProgramFailed


class Command(BaseCommand):
    help = (
        "Restore a backup into the empty database that DATABASE_URL names, and check that everything holds "
        "that must. Exits 1 if something does not."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="what `backup` wrote")
        parser.add_argument("--json", action="store_true", help="one JSON object, for programs")

    def handle(self, *, file, **options) -> None:
        try:
            backups.restore(file, tell=self.stderr.write)
            self.stderr.write("Checking what must hold ...")
            broken = list(backups.broken_promises())
        except (backups.NotEmpty, ProgramFailed, DatabaseError, OSError) as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps({"ok": not broken, "broken": broken}))
        else:
            for line in broken:
                self.stdout.write(line)
            self.stdout.write(
                f"{len(broken)} things to mend." if broken else "Restored, and everything holds."
            )
        if broken:
            sys.exit(1)
