import json
from dataclasses import asdict
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils import timezone

from bookings import archive
from bookings.archive_files import ArchiveDamaged, ArchiveDirectory


class Command(BaseCommand):
    help = (
        "Take old months out of the history of bookings, into files with checksums. Run it as the owner of "
        "the tables: nobody else may delete from the history."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "--to", type=Path, help="directory (HISTORY_ARCHIVE, or archive in the data directory)"
        )
        parser.add_argument(
            "--keep", type=int, metavar="MONTHS", help="whole months that stay (HISTORY_KEPT_MONTHS, 24)"
        )
        parser.add_argument("--read", type=Path, metavar="FILE", help="check a file and print its lines")
        parser.add_argument("--dry-run", action="store_true", help="only say which months would go")
        parser.add_argument("--json", action="store_true", help="one JSON object, for programs")

    def handle(self, *, to, keep, read, dry_run, **options):
        keep = settings.HISTORY_KEPT_MONTHS if keep is None else keep
        if keep < 1:
            raise CommandError("--keep is a number of months from 1 up.")
        try:
            if read:
                for line in ArchiveDirectory(read.parent).read(read):
                    self.stdout.write(json.dumps(line, ensure_ascii=False))
                return
            directory = ArchiveDirectory(
                to or Path(settings.HISTORY_ARCHIVE or settings.DATA_DIR / "archive")
            )
            months = list(self._months(directory, keep=keep, dry_run=dry_run))
        except (archive.ArchiveBusy, archive.HistoryChanged, ArchiveDamaged, DatabaseError, OSError) as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            facts = {"dry_run": dry_run, "months": [asdict(month) for month in months]}
            self.stdout.write(json.dumps(facts, indent=2))
        else:
            self._tell(months, dry_run=dry_run)

    def _months(self, directory, *, keep, dry_run):
        for month, lines in archive.due_months(now=timezone.now(), keep=keep):
            if dry_run:
                yield archive.Archived(str(month), lines, ())
            else:
                yield archive.archive(month, into=directory)

    def _tell(self, months, *, dry_run):
        verb = "would be archived" if dry_run else "archived"
        for month in months:
            self.stdout.write(f"{month.month}: {month.lines} lines {verb} {', '.join(month.files)}".rstrip())
        self.stdout.write(f"{sum(month.lines for month in months)} lines of {len(months)} months {verb}.")
