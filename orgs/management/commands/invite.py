from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from orgs import invites
from orgs.errors import Refused
from orgs.models import Membership, Organization


class Command(BaseCommand):
    help = "Invite somebody to an organization by mail, as the platform: the way to its first administrator."

    def add_arguments(self, parser):
        parser.add_argument("organization", help="its short name")
        parser.add_argument("email")
        parser.add_argument("--role", choices=Membership.Role.values, default=Membership.Role.USER)

    def handle(self, *, organization, email, role, **options):
        found = Organization.objects.filter(slug=organization).first()
        if found is None:
            raise CommandError(f"There is no organization with the short name “{organization}”.")
        try:
            made = invites.invite(
                organization_id=found.pk, email=email, role=role, actor_id=None, now=timezone.now()
            )
        except Refused as refusal:
            raise CommandError(str(refusal)) from None
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        self.stdout.write(f"{made.email} is invited to {found} as {role}, until {made.expires_at:%d %B %Y}.")
