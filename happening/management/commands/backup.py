"""`manage.py backup`: the whole database in a file, while people go on booking."""

import json
from pathlib import Path

from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from django.utils import timezone

from happening import backups
from happening.postgres_programs import ProgramFailed


class Command(BaseCommand):
    help = "Write a backup of the database, while people go on booking."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, help="where to (the data directory, by the time)")
        parser.add_argument("--json", action="store_true", help="one JSON object, for programs")

    def handle(self, *, file, **options) -> None:
        file = file or settings.DATA_DIR / "backups" / f"{timezone.now():%Y-%m-%dT%H%M%SZ}.dump"
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            size = backups.backup(file, tell=self.stderr.write)
        except (ProgramFailed, DatabaseError, OSError) as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps({"file": str(file), "bytes": size}))
        else:
            self.stdout.write(f"{file} is written ({size / 1e6:.1f} MB).")
