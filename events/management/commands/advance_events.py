from django.core.management.base import BaseCommand
from django.utils import timezone

from events import services


class Command(BaseCommand):
    help = "Let events begin and end by the clock: upcoming, ongoing, completed."

    def handle(self, **options):
        moved = services.advance(now=timezone.now())
        self.stdout.write(f"{moved['ongoing']} events are now ongoing, {moved['completed']} completed.")
