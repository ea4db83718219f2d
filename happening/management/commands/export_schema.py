"""`manage.py export_schema`: the schema as SQL, and whether the database has it."""

import sys
from pathlib import Path

import psycopg
from django.core.management import BaseCommand, CommandError, CommandParser

from happening import schema_export
from happening.postgres_programs import ProgramFailed


class Command(BaseCommand):
    help = (
        "Print the SQL that makes the schema without Django: the original one, the one that improves it, or "
        "both in their order. With --check: compare the database with what they make; exits 1 if it differs."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("which", nargs="?", choices=["original", "improved", "both"], default="both")
        parser.add_argument("--to", type=Path, help="a directory to write the files into, rather than print")
        parser.add_argument("--check", action="store_true", help="compare the database with both files")

    def handle(self, *, which, to, check, **options) -> None:
        if check:
            self._check()
            return
        for name, file in schema_export.FILES.items():
            if which not in (name, "both"):
                continue
            if to is None:
                self.stdout.write(file.read_text())
            else:
                to.mkdir(parents=True, exist_ok=True)
                (to / file.name).write_text(file.read_text())
                self.stdout.write(f"{to / file.name} is written.")

    def _check(self) -> None:
        try:
            found = schema_export.differences()
        except (ProgramFailed, psycopg.Error) as error:
            raise CommandError(str(error)) from error
        for line in found:
            self.stdout.write(line)
        if found:
            self.stdout.write(
                "The database is not what the files make: + stands in it alone, - in them alone."
            )
            sys.exit(1)
        self.stdout.write("The database is what the files make.")
