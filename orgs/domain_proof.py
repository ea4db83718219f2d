"""Whose domain it is: whoever can put a TXT record that we name into its DNS.

What the record holds follows from the organization, the domain and our own secret, so nothing is stored until
it is proven, and a record that proves a domain for one organization proves it for no other. A proven domain
becomes the organization's host, or one of its mail domains (`orgs.offers`).
"""

import re
from uuid import UUID

import dns.exception
import dns.resolver
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from orgs.links import platform_host
from orgs.models import Organization
from orgs.names import DOMAIN, validate_domain

LABEL = "_happening"


class DomainRefused(Exception):
    """The domain cannot be this organization's; the message says why."""


class NotProven(DomainRefused):
    def __init__(self, organization: Organization, domain: str):
        name, value = record(organization, domain)
        super().__init__(
            _("%(domain)s is not proven yet. Add this TXT record to its DNS, then try again: %(record)s")
            % {"domain": domain, "record": f"{name} {value}"}
        )


def record(organization: Organization, domain: str) -> tuple[str, str]:
    """Name and content of the TXT record that proves the domain."""
    proof = salted_hmac("orgs.domain_proof", f"{organization.pk} {domain}", algorithm="sha256").hexdigest()
    return f"{LABEL}.{domain}", f"happening-verify={proof[:40]}"


def host_by_proof(*, organization_id: UUID, domain: str, resolver: dns.resolver.Resolver) -> Organization:
    """Make a domain the organization's host.

    Raises:
        DomainRefused: not proven, the platform's own, a mail provider's, or another organization's.
    """
    _prove(Organization.objects.get(pk=organization_id), domain, resolver)
    try:
        with transaction.atomic(durable=True):
            organization = Organization.objects.lock(organization_id)
            organization.domain = domain
            organization.save(update_fields=["domain"])
    except IntegrityError as error:
        if error.__cause__.diag.constraint_name != "organizations_have_distinct_domains":
            raise
        raise DomainRefused(_("%(domain)s belongs to another organization.") % {"domain": domain}) from None
    return organization


def mail_domain_by_proof(
    *, organization_id: UUID, domain: str, resolver: dns.resolver.Resolver
) -> Organization:
    """Offer membership to whoever has a verified address in the domain.

    Raises:
        DomainRefused: not proven, the platform's own, or a mail provider's.
    """
    _prove(Organization.objects.get(pk=organization_id), domain, resolver)
    with transaction.atomic(durable=True):
        organization = Organization.objects.lock(organization_id)
        known = organization.settings.get("mail_domains", [])
        organization.settings["mail_domains"] = sorted({*known, domain})
        organization.save(update_fields=["settings"])
    return organization


def _prove(organization: Organization, domain: str, resolver: dns.resolver.Resolver) -> None:
    """Nothing is locked meanwhile: a name server may take its time."""
    if not re.fullmatch(DOMAIN, domain):
        raise DomainRefused(_("“%(domain)s” is no domain.") % {"domain": domain})
    if domain == platform_host() or domain.endswith(f".{platform_host()}"):
        raise DomainRefused(_("%(domain)s is the platform's own.") % {"domain": domain})
    try:
        validate_domain(domain)
    except ValidationError as error:
        raise DomainRefused(" ".join(error.messages)) from None
    name, value = record(organization, domain)
    try:
        answer = resolver.resolve(name, "TXT")
    except dns.exception.DNSException:
        raise NotProven(organization, domain) from None
    if value.encode() not in [b"".join(found.strings) for found in answer]:
        raise NotProven(organization, domain)
