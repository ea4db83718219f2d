from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from bookings import services
from bookings.models import Booking
from events.models import Event


class Command(BaseCommand):
    help = "Promote whom the queue's rule promotes, of one event; services do so by themselves."

    def add_arguments(self, parser):
        parser.add_argument("event", type=UUID, help="the event's id")

    def handle(self, *, event, **options):
        waiting = Booking.objects.waiting().filter(event_id=event)
        before = waiting.count()
        try:
            while not services.settle(event_id=event, now=timezone.now()):
                continue
        except Event.DoesNotExist as error:
            raise CommandError(f"There is no event {event}.") from error
        self.stdout.write(f"{before - waiting.count()} of {before} waiting bookings were promoted.")
