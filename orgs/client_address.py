"""Where a request comes from: the address that the outermost of our own proxies saw."""

from ipaddress import ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

HOUSEHOLD = 64  # bits of an IPv6 address that one subscriber has in common


def address_of(request: HttpRequest) -> str:
    """The client's address; of IPv6 the network, since one subscriber has as many addresses as they like.

    What a client writes into X-Forwarded-For itself stands left of what our proxies add, and is not read.
    """
    proxies = settings.ALLAUTH_TRUSTED_PROXY_COUNT
    told = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
    written = told[-proxies] if proxies and len(told) >= proxies else request.META.get("REMOTE_ADDR", "")
    try:
        address = ip_address(written)
    except ValueError:
        return "unknown"  # a socket has none
    if address.version == 6:
        return str(ip_network((address, HOUSEHOLD), strict=False).network_address)
    return str(address)
