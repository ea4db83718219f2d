"""A request's host names its organization: `request.organization`, None on the platform's own host.

Any other host is refused here, before everything else, with a status and nothing else. The platform's hosts
are written out in ALLOWED_HOSTS; those of organizations stand in a table and change while the server runs, so
this middleware vouches for them one request at a time. No wildcard is needed anywhere, and none is allowed:
what trusts ALLOWED_HOSTS (redirects, links in mails) then trusts exact names only.
"""

from django.conf import settings
from django.core.checks import Error, register
from django.http import HttpResponse
from django.http.request import split_domain_port

from orgs.hosts import organization_at

MISDIRECTED = 421


class TenancyMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        named = request._get_raw_host().lower()
        host, _port = split_domain_port(named)
        request.organization = None
        if host not in settings.ALLOWED_HOSTS:
            request.organization = organization_at(host) if host else None
            if request.organization is None:
                return HttpResponse(status=MISDIRECTED)
            request.get_host = lambda: named
        return self.get_response(request)


@register
def hosts_are_exact(app_configs, **kwargs):
    wildcards = [host for host in settings.ALLOWED_HOSTS if host == "*" or host.startswith(".")]
    if not wildcards:
        return []
    return [
        Error(
            f"ALLOWED_HOSTS holds {', '.join(wildcards)}, which stands for hosts that nobody wrote out.",
            hint="Name the platform's own hosts. Those of organizations are known from the table.",
            id="orgs.E001",
        )
    ]
