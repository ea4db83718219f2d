"""A person's own account: who they are here, and the ways in and out."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from orgs import roles
from orgs.models import User
from orgs.offers import offered_to
from orgs.profile import ProfileForm
from orgs.sso import provider
from orgs.sso.identity import is_managed_elsewhere


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def account(request):
    person = User.objects.get(pk=request.user.pk)  # its own copy: a refused name must not show in the header
    form = ProfileForm(request.POST or None, instance=person)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Your details are saved."))
        return redirect("account")
    memberships = (
        request.user.memberships.active().select_related("organization").order_by("organization__name")
    )
    context = {
        "form": form,
        "memberships": memberships,
        "runs": _runs(request),
        "offers": offered_to(person),
        "may_start": settings.ORGANIZATIONS_BY_ANYBODY,
        "is_managed_elsewhere": is_managed_elsewhere(person),
        "has_single_sign_on": provider.is_configured(),
    }
    return render(request, "orgs/account.html", context, status=422 if form.is_bound else 200)


@login_required
@require_POST
def sign_out_everywhere(request):
    """Every session of this person, this one included."""
    User.objects.filter(pk=request.user.pk).end_sessions()
    logout(request)
    messages.success(request, _("You are signed out everywhere."))
    return redirect("account_login")


def _runs(request) -> set:
    """The organizations whose admin opens for the person."""
    held = roles.held_during(request).by_organization
    return {organization_id for organization_id, rights in held.items() if rights & roles.BACK_OFFICE}
