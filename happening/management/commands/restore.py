"""`manage.py restore`: a backup into an empty database, and the proof that it is whole."""

import json
import sys
from pathlib import Path

from django.core.management import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from happening import backups
from happening.doctor.finding import as_facts
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
            found = list(backups.examined())
        except (backups.NotEmpty, ProgramFailed, DatabaseError, OSError) as error:
            raise CommandError(str(error)) from error
        broken = [one for one in found if not one.is_ok]
        if options["json"]:
            self.stdout.write(json.dumps({"ok": not broken, "findings": as_facts(found)}, indent=2))
        else:
            for one in found:
                self.stdout.write(f"{one.state}: {one.what}: {one.says}")
                if one.mend:
                    self.stdout.write(f"    -> {one.mend}")
            self.stdout.write(
                f"{len(broken)} things to mend." if broken else "Restored, and every invariant holds."
            )
        if broken:
            sys.exit(1)
