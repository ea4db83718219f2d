"""Invites into an organization: sending them, and what became of them."""

from typing import ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orgs import invites
from orgs.admin_site import Done, ReadOnlyAdmin, Step, answer_step, standing_in
from orgs.errors import Refused
from orgs.models import Invite, Membership, Organization
from orgs.models.permissions import Right

STEPS = (
    Step(
        "resend",
        gettext_lazy("Send again"),
        deed="add",
        offered=lambda invite: invite.status in (Invite.Status.PENDING, Invite.Status.EXPIRED),
    ),
    Step(
        "revoke",
        gettext_lazy("Take back"),
        deed="add",
        offered=lambda invite: invite.status == Invite.Status.PENDING,
        is_grave=True,
    ),
)


class InviteForm(forms.Form):
    """`organization` is asked for only where several are looked at."""

    organization = forms.ModelChoiceField(label=gettext_lazy("Organization"), queryset=None)
    email = forms.EmailField(label=gettext_lazy("Address"), max_length=254)
    role = forms.ChoiceField(
        label=gettext_lazy("Role"),
        choices=Membership.Role.choices,
        initial=Membership.Role.USER,
        help_text=gettext_lazy(
            "A member sees and books what is for members. An organizer runs events. An administrator may "
            "everything in the organization."
        ),
    )

    def __init__(self, *args, organization: Organization | None, **kwargs):
        super().__init__(*args, **kwargs)
        self.organization = organization
        if organization:
            del self.fields["organization"]
        else:
            self.fields["organization"].queryset = Organization.objects.active().order_by("name")

    def clean(self):
        return {"organization": self.organization, **self.cleaned_data}


@admin.register(Invite)
class InviteAdmin(ReadOnlyAdmin):
    organization_path = organization_column = "organization"
    rights: ClassVar = {"view": Right.SEE_MEMBERS, "add": Right.INVITE}
    steps = STEPS
    list_display = ["email", "organization", "role", "status", "expires_at"]
    list_filter = ["status", "role"]
    list_select_related = ["organization"]
    search_fields = ["email"]
    search_help_text = gettext_lazy("By address.")
    fields = ["email", "role", "status", "expires_at", "created_at"]
    readonly_fields = fields

    def has_add_permission(self, request):
        return self.may(request, "add")

    def add_view(self, request, form_url="", extra_context=None):
        """A step of its own rather than Django's form, whose transaction the service could not run in."""
        if not self.has_add_permission(request):
            raise PermissionDenied

        def do(form):
            invite = invites.invite(
                organization_id=form.cleaned_data["organization"].pk,
                email=form.cleaned_data["email"],
                role=form.cleaned_data["role"],
                actor_id=request.user.pk,
                now=timezone.now(),
            )
            return Done(
                _("%(email)s is invited; the link is on its way by mail.") % {"email": invite.email},
                at=reverse("admin:orgs_invite_changelist"),
                made=invite,
            )

        return self._step(
            request,
            None,
            InviteForm(request.POST or None, organization=standing_in(request).organization),
            title=_("Invite somebody"),
            button=_("Invite"),
            do=do,
        )

    def resend(self, request, invite):
        def do(form):
            sent = invites.resend(invite_id=invite.pk, actor_id=request.user.pk, now=timezone.now())
            return Done(_("%(email)s gets a new link by mail.") % {"email": sent.email})

        return self._step(
            request,
            invite,
            title=_("Send again"),
            warning=_("A new link goes out by mail. The one before does not work any more."),
            button=_("Send"),
            do=do,
        )

    def revoke(self, request, invite):
        def do(form):
            invites.revoke(invite_id=invite.pk, actor_id=request.user.pk)
            return Done(_("The invite is taken back: its link does not work any more."))

        return self._step(
            request,
            invite,
            title=_("Take back"),
            warning=_("The link in the mail will not work any more."),
            button=_("Take the invite back"),
            do=do,
        )

    def _step(self, request, invite, form=None, **words):
        form = form or forms.Form(request.POST if request.method == "POST" else None)
        return answer_step(self, request, invite, form=form, refused=(Refused,), **words)
