"""Which organization a host belongs to, without asking PostgreSQL for each request.

Saving an organization makes its hosts be asked for anew (`Organization.save`).
"""

from uuid import UUID

from django.db.models import Q

from orgs.host_cache import known_hosts
from orgs.links import platform_host
from orgs.models import Organization

FIELDS = [  # in the model's own order, as `from_db` reads them
    field.attname
    for field in Organization._meta.concrete_fields
    if field.attname not in ("created_at", "updated_at")
]


def organization_at(host: str) -> Organization | None:
    """The organization whose host this is, as it was a moment ago; None if it is nobody's, or belongs to one
    that has closed. Only FIELDS are loaded."""
    facts = known_hosts.get(host)
    if facts is None:
        facts = _ask(host)
        known_hosts.keep(host, facts)
    if not facts:
        return None
    facts = {**facts, "id": UUID(facts["id"])}
    return Organization.from_db("default", FIELDS, [facts[name] for name in FIELDS])


def _ask(host: str) -> dict:
    named, below = Q(domain=host), f".{platform_host()}"
    if host.endswith(below):
        named |= Q(slug=host.removesuffix(below))
    found = (
        Organization.objects.filter(named)
        .exclude(status=Organization.Status.CLOSED)
        .order_by("domain")  # one's own domain comes before a short name: NULL sorts last
        .values(*FIELDS)
        .first()
    )
    return {**found, "id": str(found["id"])} if found else {}
