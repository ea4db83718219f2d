"""An organization's colour and logo on its own host.

The colour is a stylesheet of its own, so that the pages' strict policy for styles holds; both its address and
the logo's change with what they show, so that browsers may keep them for good.
"""

from urllib.parse import urlencode

from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from orgs import logos
from orgs.colours import ink_on, is_colour, readable_on_dark, readable_on_light

FOR_GOOD = "public, max-age=31536000, immutable"


def look(request) -> dict:
    """For every template: the organization's name, and where its stylesheet and logo are; empty on the
    platform's host."""
    facts = {"organization_name": "", "look_url": "", "logo_url": ""}
    organization = getattr(request, "organization", None)
    if organization is None:
        return facts
    facts["organization_name"] = organization.name
    if colour := organization.settings.get("colour"):
        facts["look_url"] = reverse("look") + "?" + urlencode({"v": colour})
    if logo := organization.settings.get("logo"):
        facts["logo_url"] = reverse("logo", args=[logo])
    return facts


@require_safe
def stylesheet(request):
    colour = request.organization.settings.get("colour") if request.organization else None
    styles = _styles(colour) if is_colour(colour) else ""
    response = HttpResponse(styles, content_type="text/css; charset=utf-8")
    response["Cache-Control"] = FOR_GOOD if "v" in request.GET else "no-cache"
    return response


@require_safe
def logo(request, name):
    """A logo by the hash of what it shows."""
    try:
        file = default_storage.open(logos.path_of(name))
    except FileNotFoundError:
        raise Http404 from None
    response = FileResponse(file, content_type=logos.CONTENT_TYPE)
    response["Cache-Control"] = FOR_GOOD
    response["Content-Security-Policy"] = "default-src 'none'"
    return response


def _styles(colour: str) -> str:
    """The site's accent in this colour, as much lighter in the dark as it takes to be read."""
    light, dark = readable_on_light(colour), readable_on_dark(colour)
    return (
        ":root{"
        f"--accent:light-dark({light},{dark});"
        f"--on-accent:light-dark({ink_on(light)},{ink_on(dark)})"
        "}\n"
    )
