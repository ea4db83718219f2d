"""The proof, live, for whoever runs the platform: each event's seats, counted every way there is."""

from datetime import datetime
from itertools import islice

from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext_lazy as _

from bookings import seat_counter
from bookings.models import EventTotals
from bookings.proof import Proof, proofs, with_redis
from bookings.reconcile import LAST_CHECK
from orgs.breaker import Away

SHOWN = 50  # events: those where something happened lately, else those with most bookings


class ProofDesk:
    """For the model admin of seats."""

    change_list_template = "admin/seat_change_list.html"

    def get_urls(self):
        page = self.admin_site.admin_view(self.proof_page)
        return [path("proof/", page, name="seats_proof"), *super().get_urls()]

    def proof_page(self, request: HttpRequest) -> TemplateResponse:
        if not request.user.is_staff:
            raise PermissionDenied
        found, redis_is_away = _shown()
        last = cache.get(LAST_CHECK)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("No seat twice, none lost"),
            "proofs": found,
            "redis_is_away": redis_is_away,
            "last": last and {**last, "at": datetime.fromisoformat(last["at"])},
        }
        return TemplateResponse(request, "admin/seat_proof.html", context)


def _shown() -> tuple[list[Proof], bool]:
    most_booked = EventTotals.objects.order_by("-confirmed_bookings").values_list("event_id", flat=True)
    try:
        found = proofs(list(islice(seat_counter.counted(), SHOWN)) or list(most_booked[:SHOWN]))
        return with_redis(found), False
    except Away:
        return proofs(list(most_booked[:SHOWN])), True
