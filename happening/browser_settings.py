"""What browsers may do with our pages. A part of the settings."""

from urllib.parse import urlsplit

from csp.constants import NONE, SELF


def content_policy(*, forms_lead_to: list[str]) -> dict:
    """CONTENT_SECURITY_POLICY, for pages whose forms may lead to these URLs as well: Chromium holds a form's
    redirects to the policy."""
    return {
        "DIRECTIVES": {
            "default-src": [NONE],
            "script-src": [SELF],
            "style-src": [SELF],
            "img-src": [SELF, "data:"],
            "font-src": [SELF],
            "connect-src": [SELF],
            "form-action": [SELF, *dict.fromkeys(_origin(url) for url in forms_lead_to)],
            "manifest-src": [SELF],
            "base-uri": [NONE],
            "object-src": [NONE],
            "frame-ancestors": [NONE],
        }
    }


def _origin(url: str) -> str:
    scheme, host, *_ = urlsplit(url)
    return f"{scheme}://{host}" if host else SELF
