"""Sentences about an event for whoever runs it."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bookings.errors import BookingRefused
from bookings.models import EventTotals
from events.models import Event


def for_organizer(refusal: Exception) -> str:
    """Why something was refused, said to who does it for somebody else."""
    return refusal.for_organizer if isinstance(refusal, BookingRefused) else str(refusal)


def told(event: Event) -> str:
    """How many bookings a change of the event will tell of."""
    totals = EventTotals.objects.filter(event=event).first()
    count = totals.confirmed_bookings + totals.waiting_bookings if totals else 0
    if not count:
        return _("Nobody has booked, so nobody needs to be told.")
    return ngettext(
        "The people of %(n)s booking will be told.", "The people of %(n)s bookings will be told.", count
    ) % {"n": f"{count:,}"}


def waiting(event: Event) -> str:
    """How many seats are left and who has a claim to them first."""
    left = ngettext("%(n)s seat is left.", "%(n)s seats are left.", event.available_slots)
    words = left % {"n": f"{event.available_slots:,}"}
    totals = EventTotals.objects.filter(event=event).first()
    if totals and totals.waiting_bookings:
        line = ngettext(
            "%(n)s party waits in line and comes first.",
            "%(n)s parties wait in line and come first.",
            totals.waiting_bookings,
        )
        words += " " + line % {"n": f"{totals.waiting_bookings:,}"}
    return words
