from django.core.management.base import BaseCommand
from django.utils import timezone

from orgs import invites


class Command(BaseCommand):
    help = "Mark the invites that have run out; beat does so every hour."

    def handle(self, **options):
        self.stdout.write(f"{invites.expire(now=timezone.now())} invites have run out.")
