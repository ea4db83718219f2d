from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from notifications import relay
from notifications.broker import BrokerAway


class Command(BaseCommand):
    help = "Hand what is owed and due to the sender, now: what the relay does by itself all the time."

    def handle(self, **options):
        try:
            sent = relay.drain(clock=timezone.now, seconds=float("inf"))
        except BrokerAway as away:
            raise CommandError(f"{away}. What is owed stays in the outbox.") from away
        whither = "to RabbitMQ" if settings.AMQP_URL else "straight to the sender, as there is no RabbitMQ"
        self.stdout.write(f"Handed over {sent} messages {whither}.")
