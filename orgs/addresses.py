"""Where an organization is found: its own domain, else its short name below the platform's."""

from urllib.parse import urlsplit

from django.conf import settings

from orgs.models import Organization


def platform_host() -> str:
    """The host of the platform itself, below which short names are, without a port."""
    return urlsplit(settings.SITE_URL).hostname


def host_of(organization: Organization) -> str | None:
    """None for an organization that has neither: it is found on the platform's host alone."""
    if organization.domain:
        return organization.domain
    return f"{organization.slug}.{platform_host()}" if organization.slug else None


def address_of(organization: Organization, path: str = "/") -> str:
    """The URL of a page on the organization's host, else on the platform's."""
    site = urlsplit(settings.SITE_URL)
    host = host_of(organization) or site.hostname
    port = f":{site.port}" if site.port else ""
    return f"{site.scheme}://{host}{port}{path}"


def platform_address(path: str) -> str:
    return settings.SITE_URL.rstrip("/") + path
