"""What the platform's staff decide about an organization: steps on its page, answered here, because closing
one cancels its events."""

from django import forms
from django.contrib.admin import site
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from bookings import services
from bookings.admin.event_words import for_organizer
from bookings.admin.forms import ReasonForm
from bookings.errors import BookingRefused
from bookings.models import EventTotals
from bookings.services.organizations import going_ahead
from orgs.admin_site import Done, Step, answer_step
from orgs.errors import Refused
from orgs.models import Membership, Organization

Status = Organization.Status
SUSPEND = Step(
    "suspend", gettext_lazy("Suspend"), deed="decide", offered=lambda org: org.status == Status.ACTIVE
)
REOPEN = Step(
    "reopen", gettext_lazy("Open again"), deed="decide", offered=lambda org: org.status != Status.ACTIVE
)
CLOSE = Step(
    "close",
    gettext_lazy("Close"),
    deed="decide",
    offered=lambda org: org.status != Status.CLOSED,
    is_grave=True,
)


def suspend(model_admin, request, organization):
    def do(form):
        services.suspend_organization(**_asked(request, organization))
        return Done(_("%(name)s is suspended, and its administrators are told.") % {"name": organization})

    return _step(
        model_admin,
        request,
        organization,
        title=_("Suspend the organization"),
        warning=_(
            "Its events are hidden from strangers and nothing new can be booked. Who has booked still sees "
            "and may cancel; its people may look, and change nothing. You can open it again at any time."
        ),
        button=_("Suspend"),
        do=do,
    )


def reopen(model_admin, request, organization):
    def do(form):
        services.reopen_organization(**_asked(request, organization))
        return Done(_("%(name)s is open again, and its administrators are told.") % {"name": organization})

    return _step(
        model_admin,
        request,
        organization,
        title=_("Open the organization again"),
        warning=_(
            "Its people have their rights back and its events show. What was cancelled stays cancelled."
        ),
        button=_("Open it again"),
        do=do,
    )


def close(model_admin, request, organization):
    def do(form):
        services.close_organization(**_asked(request, organization), reason=form.cleaned_data["reason"])
        return Done(
            _("%(name)s is closed. Whoever had booked is being told, and so are its administrators.")
            % {"name": organization}
        )

    return _step(
        model_admin,
        request,
        organization,
        form=ReasonForm(request.POST or None),
        title=_("Close the organization"),
        warning=what_closing_does(organization),
        button=_("Close it"),
        log_field="reason",
        do=do,
    )


def what_closing_does(organization: Organization) -> str:
    events = going_ahead(organization.pk)
    totals = EventTotals.objects.filter(event__in=events).aggregate(
        confirmed=Sum("confirmed_bookings", default=0), waiting=Sum("waiting_bookings", default=0)
    )
    bookings = totals["confirmed"] + totals["waiting"]
    members = Membership.objects.active().filter(organization=organization).count()
    count = events.count()
    sentences = [
        ngettext(
            "%(n)s event that goes ahead is cancelled for good.",
            "%(n)s events that go ahead are cancelled for good.",
            count,
        )
        % {"n": f"{count:,}"}
        if count
        else _("It has no event that goes ahead."),
        ngettext(
            "The people of %(n)s booking are told, with the reason.",
            "The people of %(n)s bookings are told, with the reason.",
            bookings,
        )
        % {"n": f"{bookings:,}"}
        if bookings
        else _("Nobody has booked, so nobody else needs to be told."),
        ngettext(
            "%(n)s member has no rights there any more; the administrators are told.",
            "%(n)s members have no rights there any more; the administrators are told.",
            members,
        )
        % {"n": f"{members:,}"},
        _("You can open it again later; its events stay cancelled."),
    ]
    return " ".join(sentences)


def _asked(request, organization) -> dict:
    return {"organization_id": organization.pk, "actor_id": request.user.pk, "now": timezone.now()}


def _step(model_admin, request, organization, *, form=None, **words):
    return answer_step(
        model_admin,
        request,
        organization,
        form=form or forms.Form(request.POST if request.method == "POST" else None),
        refused=(Refused, BookingRefused),
        in_words=for_organizer,
        **words,
    )


for step, answer in ((SUSPEND, suspend), (REOPEN, reopen), (CLOSE, close)):
    site.add_step(Organization, step, answer)
