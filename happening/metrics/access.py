"""Who may read /metrics: who shows the token, or asks directly from a network that is trusted.

What a client writes about itself is never believed. A request that came through a proxy says so by the
headers that our proxies set (the site does not work without them), and is nobody's neighbour, whatever
address the proxy has; a stranger who sends such a header only shuts the door.
"""

import hmac
from ipaddress import ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

BY_A_PROXY = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-IP", "Forwarded", "Via")


def may_read(request: HttpRequest) -> bool:
    return _shows_the_token(request) or _is_a_neighbour(request)


def _shows_the_token(request: HttpRequest) -> bool:
    scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
    token = settings.METRICS_TOKEN
    return bool(token) and scheme == "Bearer" and hmac.compare_digest(shown.encode(), token.encode())


def _is_a_neighbour(request: HttpRequest) -> bool:
    if any(header in request.headers for header in BY_A_PROXY):
        return False
    try:
        address = ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False  # a socket has none
    address = getattr(address, "ipv4_mapped", None) or address
    return any(address in ip_network(network) for network in settings.METRICS_NETWORKS)
