"""Drawing an event's seating plan: the form, a preview of the map as people will see it, and the service."""

from django.contrib import messages
from django.http import HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bookings import services
from bookings.admin.plan_form import PlanForm, PlanRefused
from bookings.errors import BookingRefused
from bookings.views.seat_map import seat_map
from events.models import Event
from events.seating import Layout
from events.services import EventRefused, edit_draft
from orgs.admin_site import logged


def plan_step(model_admin, request, event: Event):
    """Sent to be shown, it is drawn and nothing is kept; sent to be saved, it is saved or says why not."""
    form, plan, trouble = PlanForm.showing(event.seating), event.layout, ""
    if request.method == "POST":
        form = PlanForm.sent(request.POST)
        try:
            plan = form.plan()
            if "save" in request.POST:
                told = _words(plan)
                with logged(model_admin, request, event, told):
                    _save(event, plan, actor_id=request.user.pk)
                messages.success(request, told)
                return HttpResponseRedirect(reverse("admin:events_event_change", args=[event.pk]))
        except (PlanRefused, BookingRefused, EventRefused) as refused:
            trouble = str(refused)
    layout = Layout.parse(plan) if plan else None
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "original": event,
        "title": _("Seating plan"),
        "plan": form.with_room(),
        "trouble": trouble,
        "layout": layout,
        "map": seat_map(event, layout, part=request.GET.get("section", "")) if layout else None,
        "has_parts_to_turn": request.method == "GET",
        "media": model_admin.media,
        "back": reverse("admin:events_event_change", args=[event.pk]),
    }
    return TemplateResponse(request, "admin/plan_step.html", context, status=422 if trouble else 200)


def _save(event: Event, plan: dict | None, *, actor_id) -> None:
    """A draft has as many seats as its plan; of a published event the number stays what was announced."""
    if event.is_published:
        services.change_layout(event_id=event.pk, layout=plan, actor_id=actor_id, now=timezone.now())
    else:
        seats = Layout.parse(plan).seats if plan else event.total_slots
        edit_draft(event_id=event.pk, layout=plan, total_slots=seats)


def _words(plan: dict | None) -> str:
    if plan is None:
        return _("The event has no seating plan now: people book a number of seats.")
    seats = Layout.parse(plan).seats
    return ngettext(
        "The seating plan has %(n)s seat now.", "The seating plan has %(n)s seats now.", seats
    ) % {"n": f"{seats:,}"}
