"""What an organization may set for itself: the schema of `organizations.settings`, and the checks beyond it.

Forms, the platform's admin and services validate by this one schema; a key that is not here is refused.
"""

import jsonschema
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from orgs.colours import PAPER_LIGHT, READABLE, contrast, is_readable, readable_on_light
from orgs.models.fields import ADDRESS
from orgs.names import DOMAIN, validate_domain

SCHEMA = {
    "type": "object",
    "properties": {
        "colour": {"type": "string", "pattern": "^#[0-9a-fA-F]{6}$", "maxLength": 7},
        "logo": {"type": "string", "pattern": r"^[0-9a-f]{64}\.webp$"},
        "support_email": {"type": "string", "pattern": ADDRESS, "maxLength": 254},
        "time_zone": {"type": "string", "pattern": r"^[A-Za-z0-9_+/-]+$", "maxLength": 64},
        # Written by `verify_domain` once they are proven: a verified address in one is offered membership.
        "mail_domains": {
            "type": "array",
            "items": {"type": "string", "pattern": DOMAIN, "maxLength": 253},
            "uniqueItems": True,
            "maxItems": 20,
        },
        # How long before an event its people are reminded.
        "reminder_hours": {
            "type": "array",
            "items": {"type": "integer", "minimum": 1, "maximum": 336},
            "uniqueItems": True,
            "maxItems": 3,
        },
        "demo": {"type": "object"},  # the demo's own mark
    },
    "additionalProperties": False,
}
_CHECK = jsonschema.Draft202012Validator(SCHEMA)
SENTENCES = {
    "colour": _("Write the colour as # and six digits, for example #5b3fd6."),
    "logo": _("A logo is uploaded, not written."),
    "support_email": _("Write an address that mail can be sent to, such as help@example.org."),
    "time_zone": _("Write the name of a time zone, for example Europe/Berlin."),
    "mail_domains": _("Mail domains are a list of domains, such as example.org, at most twenty."),
    "reminder_hours": _("Reminders go out 1 to 336 hours before an event, at three times at most."),
}


def validate_settings(value) -> None:
    """Raises ValidationError with a sentence for each setting that cannot be as it is."""
    problems = []
    for error in _CHECK.iter_errors(value):
        if not error.absolute_path:
            known = ", ".join(SENTENCES)
            problems.append(_("There are no settings but these: %(known)s.") % {"known": known})
        else:
            problems.append(SENTENCES.get(error.absolute_path[0], error.message))
    if problems:
        raise ValidationError(list(dict.fromkeys(problems)))
    if colour := value.get("colour"):
        validate_colour(colour)
    for domain in value.get("mail_domains", ()):
        validate_domain(domain)


def validate_colour(colour: str) -> None:
    """Raises ValidationError where text in this colour, or white on it, could not be read."""
    if not is_readable(colour, on=PAPER_LIGHT):
        raise ValidationError(
            _(
                "%(colour)s is too pale to be read on a light page: its contrast is %(contrast).1f, and "
                "%(needed)s is needed. The nearest that works is %(nearest)s."
            ),
            params={
                "colour": colour,
                "contrast": contrast(colour, PAPER_LIGHT),
                "needed": READABLE,
                "nearest": readable_on_light(colour),
            },
        )
