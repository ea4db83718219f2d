"""The proof, live, for whoever runs the platform: each event's seats, counted every way there is."""

from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from uuid import UUID

from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext_lazy as _

from bookings import checks
from bookings.models import BookingHistory, EventTotals
from bookings.proof import Proof, proofs, with_redis
from bookings.reconcile import LAST_CHECK
from events.models import Event
from orgs.breaker import Away

SHOWN = 50  # events, a counting of their seats each
OFF_LATELY = 25  # of them at most
LINES = 2_000  # of the history, in which events that were booked lately are looked for
REFRESH = 10  # seconds


@dataclass
class Shown:
    """What the page shows: proofs, what is off first, and when each was last compared."""

    proofs: list[Proof]
    compared_at: dict[UUID, datetime]
    redis_is_away: bool = False

    @property
    def rows(self) -> list[tuple[Proof, datetime | None]]:
        return [(proof, self.compared_at.get(proof.event.pk)) for proof in self.proofs]


class ProofDesk:
    """For the model admin of seats."""

    change_list_template = "admin/seat_change_list.html"

    def get_urls(self):
        page = self.admin_site.admin_view(self.proof_page)
        return [path("proof/", page, name="seats_proof"), *super().get_urls()]

    def proof_page(self, request: HttpRequest) -> TemplateResponse:
        if not request.user.is_staff:
            raise PermissionDenied
        words = request.GET.get("event", "").strip()
        is_still = "still" in request.GET
        last = cache.get(LAST_CHECK)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("No seat twice, none lost"),
            "shown": _found(_named(words)) if words else _lately(),
            "words": words,
            "is_still": is_still,
            "seconds": REFRESH,
            "last": last and {**last, "at": datetime.fromisoformat(last["at"])},
        }
        headers = {} if is_still else {"Refresh": str(REFRESH)}
        return TemplateResponse(request, "admin/seat_proof.html", context, headers=headers)


def _lately() -> Shown:
    """Events that were found off lately, those where something happened, those with most bookings."""
    history = BookingHistory.objects.filter(event_id__isnull=False).order_by("-created_at")
    booked_lately = history.values_list("event_id", flat=True)[:LINES]
    most_booked = EventTotals.objects.order_by("-confirmed_bookings").values_list("event_id", flat=True)
    try:
        off = checks.off_lately(OFF_LATELY)
    except Away:
        off = []
    return _found(list(dict.fromkeys(chain(off, booked_lately, most_booked[:SHOWN])))[:SHOWN])


def _named(words: str) -> list[UUID]:
    """The event of this id, else those with all these words in their titles, the latest first."""
    try:
        return [UUID(words)]
    except ValueError:
        events = Event.objects.order_by("-event_date")
        for word in words.split():
            events = events.filter(title__icontains=word)
        return list(events.values_list("pk", flat=True)[:SHOWN])


def _found(event_ids: list[UUID]) -> Shown:
    place = {event_id: at for at, event_id in enumerate(event_ids)}
    found = sorted(proofs(event_ids), key=lambda proof: place[proof.event.pk])
    try:
        found, compared_at, redis_is_away = with_redis(found), checks.compared_at(event_ids), False
    except Away:
        compared_at, redis_is_away = {}, True
    found.sort(key=lambda proof: (proof.holds, not proof.redis_is_behind))
    return Shown(found, compared_at, redis_is_away)
