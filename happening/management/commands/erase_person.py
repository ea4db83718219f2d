"""`manage.py erase_person`: erase a person who asks for it by other means than the site."""

from uuid import UUID

from allauth.account.models import EmailAddress
from django.core.management import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from happening import erasing
from orgs.models import User


class Command(BaseCommand):
    help = "Erase a person: who they were goes, their bookings' history stays."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("person", help="an email address, or the person's id")
        parser.add_argument("--dry-run", action="store_true", help="only say what would happen")

    def handle(self, *args, **options) -> None:
        person, now = _find(options["person"]), timezone.now()
        if options["dry_run"]:
            count = erasing.bookings_to_give_back(person, now=now).count()
            self.stdout.write(f"Person {person.pk} would be erased, and {count} bookings given back.")
            return
        try:
            count = erasing.erase(person.pk, now=now)
        except erasing.LastAdministrator as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write(f"Person {person.pk} is erased, and {count} bookings are given back.")


def _find(who: str) -> User:
    if "@" in who:
        address = EmailAddress.objects.filter(email__iexact=who, verified=True).first()
        found = address.user if address else User.objects.filter(email__iexact=who).first()
    else:
        try:
            found = User.objects.filter(pk=UUID(who)).first()
        except ValueError:
            found = None
    if found is None:
        raise CommandError(f"There is nobody known as {who}.")
    return found
