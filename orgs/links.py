"""URLs of the platform and of the organizations' hosts, for mails and for pages that lead elsewhere."""

from urllib.parse import urlsplit

from django.conf import settings


def platform_host() -> str:
    """The host of the platform itself, without a port; organizations' short names are found below it."""
    return urlsplit(settings.SITE_URL).hostname


def platform_address(path: str) -> str:
    return settings.SITE_URL.rstrip("/") + path


def address_at(host: str | None, path: str) -> str:
    """The URL of a page on one of our hosts; on the platform's for None."""
    site = urlsplit(settings.SITE_URL)
    port = f":{site.port}" if site.port else ""
    return f"{site.scheme}://{host or site.hostname}{port}{path}"
