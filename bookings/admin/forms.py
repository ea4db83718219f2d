from django import forms
from django.contrib.admin.widgets import AdminSplitDateTime
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from events.models import Event
from events.zones import ZONES


class MoveForm(forms.Form):
    event_date = forms.SplitDateTimeField(label=_("Starts (UTC)"), widget=AdminSplitDateTime)
    ends_at = forms.SplitDateTimeField(label=_("Ends (UTC)"), widget=AdminSplitDateTime, required=False)
    time_zone = forms.ChoiceField(label=_("Time zone"), choices=[(name, name) for name in ZONES])
    place = forms.CharField(label=_("Place"), max_length=300, required=False)


class CapacityForm(forms.Form):
    total_slots = forms.IntegerField(label=_("Seats"), min_value=1, max_value=1_000_000)
    move_people = forms.BooleanField(
        label=_("Move people out of seats that are to go"),
        required=False,
        help_text=_("Each keeps as many seats as before, and is told."),
    )


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"), max_length=500, help_text=_("The people concerned read it."), widget=forms.Textarea
    )


def people(event: Event) -> str:
    """How many bookings a change of the event will tell of."""
    totals = getattr(event, "totals", None)
    count = totals.confirmed_bookings + totals.waiting_bookings if totals else 0
    return ngettext("%(n)s booking is told.", "%(n)s bookings are told.", count) % {"n": count}
