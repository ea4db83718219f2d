"""Single sign-on for a development run: where no provider is given, the demo's own is started as well.

It is named in the environment before the site starts, and the site asks nothing of it until somebody signs
in, so nobody waits for it.
"""

import os
import secrets
from importlib import util

from . import port

FIRST_PORT = 8180


def offer() -> bool:
    """Name the provider that is going to be started; False where there is one, or none can be.

    An empty OIDC_ISSUER means: none.
    """
    if "OIDC_ISSUER" in os.environ or util.find_spec("oauth2_provider") is None:
        return False
    taken = port.claim_from(FIRST_PORT)
    if taken is None:
        return False
    os.environ |= {
        "OIDC_ISSUER": f"http://localhost:{taken}/realms/happening",
        "OIDC_CLIENT_ID": "happening",
        "OIDC_CLIENT_SECRET": secrets.token_urlsafe(32),
    }
    return True
