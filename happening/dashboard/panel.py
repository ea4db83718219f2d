"""The dashboard as a panel of the admin's first page, of the organization that is looked at, or of all."""

from django.template.loader import render_to_string
from django.utils import timezone

from happening.dashboard import charts, figures
from orgs.admin_site import Standing
from orgs.models.permissions import Right


def dashboard(request, standing: Standing) -> str | None:
    """Each part for whoever may see the rows that it counts; None where that is nothing."""
    if not standing.may(Right.SEE_EVENTS):
        return None
    now = timezone.now()
    organization_id = standing.organization.pk if standing.organization else None
    totals = figures.totals(organization_id)
    context = {
        "standing": standing,
        "may_make_events": standing.may(Right.EDIT_EVENTS),
        "totals": totals,
        "filled": charts.Share(totals.booked, totals.seats),
        "events": [
            (summary, charts.Share(summary.booked_seats, summary.total_slots))
            for summary in figures.next_events(organization_id, now=now)
        ],
    }
    if standing.may(Right.SEE_BOOKINGS):
        zone = figures.zone_of(standing.organization)
        context["days"] = charts.columns(figures.by_day(organization_id, zone=zone, now=now))
        context["zone"] = zone.key
    if standing.may(Right.SEE_DELIVERIES):
        context["deliveries"] = figures.deliveries(organization_id, now=now)
        context["delivery_days"] = figures.DELIVERY_DAYS
    return render_to_string("admin/_dashboard.html", context, request)
