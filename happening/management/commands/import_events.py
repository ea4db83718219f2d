import json
from contextlib import suppress
from dataclasses import asdict
from datetime import timedelta
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Q
from django.utils import timezone

from events import ical
from events.seating import LARGEST
from happening.importing import Report, import_reading
from orgs.models import Organization

LONGEST_HORIZON = 3650


class Command(BaseCommand):
    help = (
        "Bring the events of an iCalendar file into an organization. Running it again brings what has "
        "changed, and people with a booking are told. Entries that are gone from the file are left alone."
    )

    def add_arguments(self, parser):
        parser.add_argument("file", help="an .ics file, as calendar programs export them")
        parser.add_argument("--org", required=True, help="the organization: short name, domain or id")
        parser.add_argument("--slots", type=int, default=100, help="seats of each new event (100)")
        parser.add_argument(
            "--horizon", type=int, default=365, metavar="DAYS", help="how far series are followed (365)"
        )
        parser.add_argument(
            "--time-zone", metavar="ZONE", help="where the calendar is, if it does not say itself (UTC)"
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would happen, and change nothing"
        )
        parser.add_argument("--json", action="store_true", help="answer as one JSON object")

    def handle(self, *, file, org, slots, horizon, time_zone, dry_run, **options):
        if not 1 <= slots <= LARGEST:
            raise CommandError(f"--slots is a number of seats from 1 to {LARGEST:,}.")
        if not 1 <= horizon <= LONGEST_HORIZON:
            raise CommandError(f"--horizon is a number of days from 1 to {LONGEST_HORIZON:,}.")
        organization = _organization(org)
        now = timezone.now()
        try:
            reading = ical.read(
                ical.load(file), now=now, horizon=timedelta(days=horizon), time_zone=time_zone
            )
        except ical.CalendarUnreadable as error:
            raise CommandError(str(error)) from None
        tell = (lambda line: None) if options["json"] else self.stdout.write
        report = import_reading(reading, org=organization, slots=slots, now=now, dry_run=dry_run, tell=tell)
        if options["json"]:
            self.stdout.write(json.dumps({**asdict(report), "dry_run": dry_run}, ensure_ascii=False))
        else:
            self._tell(report, dry_run=dry_run)

    def _tell(self, report: Report, *, dry_run: bool) -> None:
        for note in report.notes:
            self.stdout.write(f"Note: {note}")
        for skipped in report.skipped:
            self.stdout.write(f"Skipped: {skipped}")
        if dry_run:
            self.stdout.write("Nothing was written; this is what would happen:")
        past = f", {report.past} past" if report.past else ""
        self.stdout.write(
            f"{report.created} events created, {report.changed} changed, {report.cancelled} cancelled, "
            f"{report.unchanged} unchanged{past}, {len(report.skipped)} skipped."
        )


def _organization(named: str) -> Organization:
    same = Q(slug=named.lower()) | Q(domain=named.lower())
    with suppress(ValueError):  # where it is not an id it is one of the names
        same |= Q(pk=UUID(named))
    found = Organization.objects.filter(same).order_by("created_at").first()
    if found is None:
        raise CommandError(f"There is no organization “{named}”.")
    if not found.is_active:
        raise CommandError(f"{found} is {found.get_status_display()}: nothing can be brought in.")
    return found
