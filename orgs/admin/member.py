"""Members of an organization: who they are, what they may do, and the steps that change it."""

from typing import ClassVar

from django import forms
from django.contrib import admin
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orgs import members
from orgs.admin_site import Done, ReadOnlyAdmin, Step, answer_step
from orgs.errors import Refused
from orgs.models import Membership
from orgs.models.permissions import Right
from orgs.roles import rights_of

STEPS = (
    Step("role", gettext_lazy("Change role"), deed="manage"),
    Step("suspend", gettext_lazy("Suspend"), deed="manage", offered=lambda member: member.is_active),
    Step("reinstate", gettext_lazy("Reinstate"), deed="manage", offered=lambda member: not member.is_active),
    Step("remove", gettext_lazy("Remove"), deed="manage", is_grave=True),
)


class RoleForm(forms.Form):
    role = forms.ChoiceField(label=gettext_lazy("Role"), choices=Membership.Role.choices)
    grant = forms.MultipleChoiceField(
        label=gettext_lazy("Also may"),
        choices=Right.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Beyond what the role brings. An administrator may everything already."),
    )
    deny = forms.MultipleChoiceField(
        label=gettext_lazy("May not"),
        choices=Right.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Taken away from what the role brings; this wins."),
    )

    @property
    def permissions(self) -> dict:
        return {way: flags for way in ("grant", "deny") if (flags := self.cleaned_data[way])}


@admin.register(Membership)
class MembershipAdmin(ReadOnlyAdmin):
    organization_path = organization_column = "organization"
    rights: ClassVar = {"view": Right.SEE_MEMBERS, "manage": Right.MANAGE_MEMBERS}
    steps = STEPS
    list_display = ["person", "address", "organization", "role", "status", "source"]
    list_display_links = ["person"]
    list_filter = ["role", "status", "source"]
    list_select_related = ["user", "organization"]
    search_fields = ["user__email", "user__name"]
    search_help_text = gettext_lazy("By name or address.")
    ordering = ["user__name", "pk"]
    fields = ["person", "address", "role", "what_they_may", "status", "source", "created_at"]
    readonly_fields = fields

    @admin.display(description=gettext_lazy("name"), ordering="user__name")
    def person(self, membership):
        return str(membership.user)

    @admin.display(description=gettext_lazy("address"), ordering="user__email")
    def address(self, membership):
        return membership.user.email or ""

    @admin.display(description=gettext_lazy("may"))
    def what_they_may(self, membership):
        rights = rights_of(membership.role, membership.permissions)
        return "; ".join(str(right.label) for right in Right if right in rights)

    def role(self, request, membership):
        def do(form):
            changed = members.grant_role(
                **self._asked(request, membership),
                role=form.cleaned_data["role"],
                permissions=form.permissions,
            )
            told = _("%(name)s is %(role)s now, and is told.")
            return Done(told % {"name": membership.user, "role": changed.get_role_display()})

        form = RoleForm(request.POST or None, initial={"role": membership.role, **membership.permissions})
        return self._step(
            request, membership, form, title=_("Change role"), button=_("Change the role"), do=do
        )

    def suspend(self, request, membership):
        def do(form):
            members.suspend(**self._asked(request, membership))
            return Done(_("%(name)s is suspended, and is told.") % {"name": membership.user})

        return self._step(
            request,
            membership,
            title=_("Suspend"),
            warning=_("%(name)s loses all rights here at once, until you reinstate them. Bookings stay."),
            button=_("Suspend"),
            do=do,
        )

    def reinstate(self, request, membership):
        def do(form):
            members.reinstate(**self._asked(request, membership))
            return Done(_("%(name)s has their role back, and is told.") % {"name": membership.user})

        return self._step(
            request,
            membership,
            title=_("Reinstate"),
            warning=_("%(name)s has the same rights as before again."),
            button=_("Reinstate"),
            do=do,
        )

    def remove(self, request, membership):
        def do(form):
            members.remove(**self._asked(request, membership))
            return Done(
                _("%(name)s is no member any more, and is told.") % {"name": membership.user},
                at=reverse("admin:orgs_membership_changelist"),
            )

        return self._step(
            request,
            membership,
            title=_("Remove from the organization"),
            warning=_("%(name)s is no member any more. What they booked stays booked."),
            button=_("Remove"),
            do=do,
        )

    def _asked(self, request, membership) -> dict:
        return {
            "membership_id": membership.pk,
            "actor_id": request.user.pk,
            "now": timezone.now(),
        }

    def _step(self, request, membership, form=None, *, warning="%(name)s", **words):
        form = form or forms.Form(request.POST if request.method == "POST" else None)
        warning %= {"name": membership.user}
        return answer_step(self, request, membership, form=form, warning=warning, refused=(Refused,), **words)
