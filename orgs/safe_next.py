"""Where somebody may be sent after signing in or out: to a page of this very host, and nowhere else."""

from django.utils.http import url_has_allowed_host_and_scheme

LONGEST = 2000


def safe_next(url: str | None) -> str | None:
    """The path, if it is one; None for addresses with a host or scheme, and what browsers read as such."""
    if not url or len(url) > LONGEST or not url.startswith("/"):
        return None
    return url if url_has_allowed_host_and_scheme(url, allowed_hosts=None) else None
