"""Which of Keycloak's groups gives which role where: for platform staff, who alone know both sides."""

from typing import ClassVar

from django import forms
from django.contrib import admin
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orgs.admin_site import PLATFORM_ALONE, Done, Step, TenantModelAdmin, answer_step
from orgs.errors import Refused
from orgs.models import KeycloakGroup


@admin.register(KeycloakGroup)
class KeycloakGroupAdmin(TenantModelAdmin):
    """What is changed here is felt by each person when they sign in next."""

    organization_path = PLATFORM_ALONE
    rights: ClassVar = dict.fromkeys(("view", "add", "change", "manage"), PLATFORM_ALONE)
    steps = (Step("remove", gettext_lazy("Remove"), deed="manage", is_grave=True),)
    list_display = ["path", "organization", "role"]
    list_filter = ["role"]
    list_select_related = ["organization"]
    search_fields = ["path", "organization__name"]
    fields = ["path", "organization", "role"]

    def remove(self, request, group):
        def do(form):
            group.delete()
            return Done(
                _("%(group)s gives no role any more.") % {"group": group.path},
                at=reverse("admin:orgs_keycloakgroup_changelist"),
            )

        return answer_step(
            self,
            request,
            group,
            form=forms.Form(request.POST if request.method == "POST" else None),
            title=_("Remove"),
            warning=_("Who is in %(group)s loses the role when they sign in next.") % {"group": group.path},
            button=_("Remove"),
            refused=(Refused,),
            do=do,
        )
