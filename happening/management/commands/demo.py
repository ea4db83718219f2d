import os
from time import monotonic

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from bookings.models import Booking
from events.models import Event
from happening.demo import making, people
from happening.demo.signed_in import signed_in_sessions


class Command(BaseCommand):
    help = (
        "Fill in two organizations with events, people and bookings to look at; only in development. "
        "Running it again changes nothing, and finishes what was begun."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "--people", type=int, metavar="N", help="instead: make N people who are signed in, for benchmarks"
        )
        parser.add_argument("--sessions", metavar="FILE", help="where their session keys go, one a line")

    def handle(self, **options):
        if not settings.DEVELOPMENT:
            raise CommandError("The demo is made in development only (HAPPENING_ENV is something else here).")
        count, path = options["people"], options["sessions"]
        if (count is None) != (path is None):
            raise CommandError("--people and --sessions go together.")
        if count is None:
            self._make_demo()
        else:
            self._sign_people_in(count, path)

    def _make_demo(self):
        begun = monotonic()
        try:
            is_new = making.make(now=timezone.now(), tell=self._tell)
        except making.DemoRefused as refusal:
            raise CommandError(str(refusal)) from None
        if not is_new:
            self.stdout.write("The demo data is already there.")
            return
        self.stdout.write(
            f"The demo data is there: {Event.objects.count()} events, {Booking.objects.count():,} bookings, "
            f"in {monotonic() - begun:.0f} seconds. The password of these accounts is {people.PASSWORD}:"
        )
        self.stdout.write("  " + ", ".join(people.ACCOUNTS))

    def _tell(self, line: str):
        self.stdout.write(line)
        self.stdout.flush()

    def _sign_people_in(self, count: int, path: str):
        if not 1 <= count <= 100_000:
            raise CommandError("--people is a number from 1 to 100,000.")
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error.strerror}.") from None
        with open(descriptor, "w") as file:
            for number, key in enumerate(signed_in_sessions(count), start=1):
                file.write(f"{key}\n")
                if number % 1000 == 0:
                    self._tell(f"{number:,} of {count:,} people.")
        self.stdout.write(f"{count:,} people are signed in; their session keys are in {path}.")
