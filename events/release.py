"""Which release of the pages this is: what one has rendered no other hands out, since the style sheets that
it names may be gone."""

import hashlib
from functools import cache

from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage


@cache
def release() -> str:
    """A short name for the templates and the static files, as they were when the process began."""
    named = hashlib.sha256(getattr(staticfiles_storage, "manifest_hash", "").encode())
    for directory in settings.TEMPLATES[0]["DIRS"]:
        for template in sorted(directory.rglob("*.html")):
            named.update(template.read_bytes())
    return named.hexdigest()[:12]
