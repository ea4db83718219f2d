import signal

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from notifications.broker import DoesNotFit
from notifications.sender import Sender
from orgs import counting


class Command(BaseCommand):
    help = "The sender: delivers what the relay hands to RabbitMQ, until it is asked to end. Several may run."

    def handle(self, **options):
        if not settings.AMQP_URL:
            raise CommandError(
                "There is no RabbitMQ (AMQP_URL), so the worker delivers by itself and no sender is needed."
            )
        counting.begin("sender")
        sender = Sender()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: sender.end())
        try:
            sender.run()
        except DoesNotFit as error:
            raise CommandError(str(error)) from error
        self.stdout.write("The sender has ended.")
