import dns.resolver
from django.core.management.base import BaseCommand, CommandError

from orgs.domain_proof import DomainRefused, host_by_proof, mail_domain_by_proof
from orgs.models import Organization

PATIENCE = 10  # seconds for a name server


class Command(BaseCommand):
    help = (
        "Give an organization a domain that it has proven to be its own, by a TXT record in its DNS. "
        "Run it once to be told which record, and again when it stands there."
    )

    def add_arguments(self, parser):
        parser.add_argument("organization", help="its short name")
        parser.add_argument("domain")
        parser.add_argument(
            "--mail",
            action="store_true",
            help="not as its host: let whoever has a confirmed address in the domain join as a member",
        )

    def handle(self, *, organization, domain, mail, **options):
        found = Organization.objects.filter(slug=organization).first()
        if found is None:
            raise CommandError(f"There is no organization with the short name “{organization}”.")
        resolver = dns.resolver.Resolver()
        resolver.lifetime = PATIENCE
        prove, result = (
            (mail_domain_by_proof, "People with an address in it may join.")
            if mail
            else (host_by_proof, "It is found there now.")
        )
        try:
            prove(organization_id=found.pk, domain=domain.lower(), resolver=resolver)
        except DomainRefused as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write(f"{domain.lower()} is proven to be {found}'s. {result}")
