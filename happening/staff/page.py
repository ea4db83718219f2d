"""Upkeep at a glance, in the admin, for the platform's staff alone."""

from datetime import datetime

from django.contrib.admin import site
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bookings.reconcile import LAST_CHECK
from happening import job_runs
from happening.staff import database
from happening.staff.services import services
from notifications import figures
from orgs.admin_site import Standing, standing_in


def upkeep(request: HttpRequest) -> TemplateResponse:
    if not standing_in(request).is_platform:
        raise PermissionDenied
    now = timezone.now()
    last = cache.get(LAST_CHECK)
    context = {
        **site.each_context(request),
        "title": _("Upkeep"),
        "now": now,
        "services": services(),
        "postgresql": f"{connection.pg_version // 10_000}.{connection.pg_version % 10_000}",
        "jobs": job_runs.standings(now=now),
        "last": last and {**last, "at": datetime.fromisoformat(last["at"])},
        "backlog": database.within_time(lambda: figures.backlog(now=now)),
        "knows_statements": database.within_time(database.statements_schema),
        "statements": database.within_time(database.slowest),
        "indexes": database.within_time(database.unused_indexes),
        "tables": database.within_time(database.largest_tables),
        "seconds": database.SECONDS,
    }
    return TemplateResponse(request, "admin/upkeep.html", context)


def panel(request: HttpRequest, standing: Standing) -> str | None:
    """The way to it from the admin's first page, and whether it is worth going."""
    if not standing.is_platform:
        return None
    late = job_runs.late(now=timezone.now())
    return render_to_string("admin/_upkeep.html", {"late": late}, request)
