from django.core.management.base import BaseCommand
from django.utils import timezone

from bookings import services


class Command(BaseCommand):
    help = "Let go, and tell, everybody who still waits for an event whose booking has closed."

    def handle(self, **options):
        released = services.close_waitlists(now=timezone.now())
        self.stdout.write(f"{released} waiting bookings were cancelled as not promoted.")
