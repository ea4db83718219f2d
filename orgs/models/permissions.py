"""What somebody may do in an organization, in single flags, and how a membership grants or denies one.

`Membership.permissions` is `{"grant": [...], "deny": [...]}` on top of the role; `orgs.roles` says
what a role holds and reads both together.
"""

import jsonschema
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _


class Right(models.TextChoices):
    ATTEND = "attend", _("see and book what is for members")
    SEE_EVENTS = "see_events", _("see all events, drafts too")
    EDIT_EVENTS = "edit_events", _("make, change, publish and cancel events")
    SEE_BOOKINGS = "see_bookings", _("see who booked")
    CHANGE_BOOKINGS = "change_bookings", _("book for others, change, cancel and promote bookings")
    EXPORT_ATTENDEES = "export_attendees", _("take lists of attendees away")
    SEE_DELIVERIES = "see_deliveries", _("see which messages were sent")
    RETRY_DELIVERIES = "retry_deliveries", _("send a message again")
    SEE_MEMBERS = "see_members", _("see members and invites")
    INVITE = "invite", _("invite people")
    MANAGE_MEMBERS = "manage_members", _("change roles, suspend and remove members")
    EDIT_ORGANIZATION = "edit_organization", _("change the organization's name, look and settings")


_FLAGS = {"type": "array", "items": {"enum": Right.values}, "uniqueItems": True, "maxItems": len(Right)}
SCHEMA = {
    "type": "object",
    "properties": {"grant": _FLAGS, "deny": _FLAGS},
    "additionalProperties": False,
}
_CHECK = jsonschema.Draft202012Validator(SCHEMA)


def validate_permissions(value) -> None:
    """Raises ValidationError unless `value` grants and denies nothing but known flags."""
    if not _CHECK.is_valid(value):
        raise ValidationError(
            _("Permissions look like this: {example}. The flags there are: {flags}.").format(
                example='{"grant": ["see_deliveries"], "deny": ["export_attendees"]}',
                flags=", ".join(Right.values),
            )
        )
