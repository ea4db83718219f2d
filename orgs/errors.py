"""Why something about members and invites was refused: each says it in a sentence for people."""

from django.utils.translation import gettext as _


class Refused(Exception):
    """Something about an organization's people cannot be done; the message says why and what to do."""


class NotAllowed(Refused):
    def __init__(self):
        super().__init__(_("Your own role does not allow that. Ask an administrator of the organization."))


class LastAdministrator(Refused):
    def __init__(self):
        super().__init__(
            _(
                "An organization needs an administrator, and there is no other one here. "
                "Make somebody else an administrator first."
            )
        )


class MemberAlready(Refused):
    def __init__(self, email: str):
        super().__init__(_("%(email)s is a member already.") % {"email": email})


class MemberSuspended(Refused):
    def __init__(self):
        super().__init__(
            _("This membership is suspended. An administrator of the organization can reinstate it.")
        )


class FollowsKeycloak(Refused):
    def __init__(self):
        super().__init__(_("This role follows a group in Keycloak. Change it there."))


class InviteGone(Refused):
    def __init__(self):
        super().__init__(
            _(
                "This invitation does not work any more: it was used, replaced by a newer one, taken back, "
                "or it ran out. Ask whoever invited you for a new one."
            )
        )


class InviteForSomebodyElse(Refused):
    def __init__(self, email: str):
        super().__init__(_("This invitation is for %(email)s.") % {"email": email})
        self.email = email
