"""Pages on which people come to belong somewhere: starting an organization, joining one, leaving one."""

from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from orgs import members, offers
from orgs.errors import Refused
from orgs.links import platform_host
from orgs.models import Organization
from orgs.names import validate_slug, validate_visible
from orgs.rate_limits import limited
from orgs.starting import NameTaken, start_organization

FIRST_EVENT = "admin:events_event_add"


class StartForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Name of the organization"),
        max_length=200,
        validators=[validate_visible],
        widget=forms.TextInput({"autocomplete": "organization"}),
    )
    slug = forms.CharField(
        label=gettext_lazy("Its short name"),
        max_length=63,
        required=False,
        widget=forms.TextInput({"autocapitalize": "none", "spellcheck": "false", "autocomplete": "off"}),
    )
    time_zone = forms.ChoiceField(
        label=gettext_lazy("Where its events usually are"),
        help_text=gettext_lazy("The times of new events are on this clock. Each event can have another."),
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        zones = sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc/"))
        named = [(zone, zone.replace("_", " ")) for zone in zones]
        self.fields["time_zone"].choices = [("UTC", "UTC"), *named]
        self.fields["slug"].help_text = _(
            "Small letters, digits and hyphens: acme is found at acme.%(host)s. "
            "Leave it empty, and it is made of the name."
        ) % {"host": platform_host()}

    def clean_slug(self) -> str:
        written = self.cleaned_data["slug"].lower() or slugify(self.cleaned_data.get("name", ""))[:63]
        slug = written.strip("-")
        validate_slug(slug)
        return slug


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@limited("start")
def start(request):
    if not settings.ORGANIZATIONS_BY_ANYBODY:
        raise Http404
    form = StartForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            organization = start_organization(
                **form.cleaned_data, user_id=request.user.pk, now=timezone.now()
            )
        except NameTaken as refusal:
            form.add_error("slug", str(refusal))
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(
                request,
                _("%(organization)s is yours. Now its first event: it stays a draft until you publish it.")
                % {"organization": organization},
            )
            return _see(reverse(FIRST_EVENT))
    return render(request, "orgs/start.html", {"form": form}, status=422 if form.is_bound else 200)


@login_required
@require_POST
def join(request, organization_id):
    """Take up the membership that a proven mail domain offers."""
    offers.settle(request, organization_id)
    try:
        membership = offers.take_up(organization_id=organization_id, user=request.user, now=timezone.now())
    except Refused:
        raise Http404 from None
    messages.success(request, _("Welcome to %(organization)s.") % {"organization": membership.organization})
    return _see(reverse("account"))


@login_required
@require_POST
def put_off(request, organization_id):
    """Not now: the offer stays on the account's page."""
    offers.settle(request, organization_id)
    try:
        offers.put_off(organization_id=organization_id, user=request.user)
    except Refused:
        raise Http404 from None
    messages.info(request, _("All right. You find the offer in your account, should you want it later."))
    return _see(reverse("event_list"))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def leave(request, organization_id):
    """A page that says what ends, and the button."""
    organization = Organization.objects.filter(
        pk=organization_id, memberships__user=request.user, memberships__status="active"
    ).first()
    if organization is None:
        raise Http404
    if request.method != "POST":
        return render(request, "orgs/leave.html", {"left": organization})
    try:
        members.leave(organization_id=organization.pk, user_id=request.user.pk)
    except Refused as refusal:
        return render(request, "orgs/leave.html", {"left": organization, "trouble": refusal}, status=409)
    messages.success(request, _("You have left %(organization)s.") % {"organization": organization})
    return _see(reverse("account"))


def _see(address: str):
    response = redirect(address)
    response.status_code = 303
    return response
