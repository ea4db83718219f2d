"""Where somebody is led after a form: a page of this very host, or nowhere."""

from django.utils.http import url_has_allowed_host_and_scheme


def is_safe(url: str | None) -> bool:
    """Whether `url` is a path on this host: no scheme, no host, nothing that a browser would read as one."""
    return bool(
        url and url.startswith("/") and url.isprintable() and url_has_allowed_host_and_scheme(url, None)
    )


def safe_path(url: str | None) -> str | None:
    """The same path, or None for what is none."""
    return url if is_safe(url) else None


def safe_next(request, *, otherwise: str) -> str:
    """The page that the form or the address asks for in `next`, if it is one of this host."""
    url = request.POST.get("next") or request.GET.get("next")
    return url if is_safe(url) else otherwise
