"""A person's own account: who they are here, and the way out."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from orgs import roles
from orgs.models import User


class ProfileForm(forms.ModelForm):
    name = forms.CharField(
        label=gettext_lazy("Your name"), max_length=200, widget=forms.TextInput({"autocomplete": "name"})
    )

    class Meta:
        model = User
        fields = ("name",)

    def save(self, commit=True):
        self.instance.save(update_fields=["name"])
        return self.instance


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def account(request):
    person = User.objects.get(pk=request.user.pk)  # its own copy: a refused name must not show in the header
    form = ProfileForm(request.POST or None, instance=person)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Your name is saved."))
        return redirect("account")
    memberships = (
        request.user.memberships.active().select_related("organization").order_by("organization__name")
    )
    return render(
        request,
        "orgs/account.html",
        {"form": form, "memberships": memberships, "runs": _runs(request)},
        status=422 if form.is_bound else 200,
    )


def _runs(request) -> set:
    """The organizations whose admin opens for the person."""
    held = roles.held_during(request).by_organization
    return {organization_id for organization_id, rights in held.items() if rights & roles.BACK_OFFICE}
