"""The forms of the admin's steps."""

from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext_lazy as _

from bookings.admin.zoned import LocalMoment, ZonedForm, zone_field
from bookings.forms import ModifyForm
from events.models import Event


class MoveForm(ZonedForm, forms.Form):
    time_zone = zone_field()
    event_date = LocalMoment(label=_("Starts"))
    ends_at = LocalMoment(label=_("Ends"), required=False)
    place = forms.CharField(label=_("Place"), max_length=300, required=False)
    online_url = Event._meta.get_field("online_url").formfield(assume_scheme="https")

    def __init__(self, *args, zone: ZoneInfo, **kwargs):
        super().__init__(*args, **kwargs)
        self.show_on_the_clock_of(zone)


class CopyForm(ZonedForm, forms.Form):
    title = forms.CharField(label=_("Title"), max_length=200)
    event_date = LocalMoment(label=_("Starts"))

    def __init__(self, *args, zone: ZoneInfo, **kwargs):
        super().__init__(*args, **kwargs)
        self.zone_name = zone.key
        self.fields["event_date"].help_text = _("On the clock of %(zone)s.") % {"zone": zone.key}
        self.show_on_the_clock_of(zone)


class CapacityForm(forms.Form):
    total_slots = forms.IntegerField(label=_("Seats"), min_value=1, max_value=1_000_000)
    move_people = forms.BooleanField(
        label=_("Move people out of seats that are to go"),
        required=False,
        help_text=_("Each keeps as many seats as before, and is told."),
    )


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"),
        max_length=500,
        help_text=_("The people concerned read it."),
        widget=forms.Textarea({"rows": 4}),
    )


class SeatsStepForm(ModifyForm):
    """The same as the person's own, as the admin draws forms; the map stands beside it."""

    seats = ModifyForm.base_fields["seats"]
    version = forms.IntegerField(min_value=1, max_value=2**31 - 1, widget=forms.HiddenInput)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["seats"].label = _("Number of seats")
        self.fields["seats"].help_text = _(
            "With fewer, those with the highest numbers are given back; with more, the best that are free "
            "are added. Who waits keeps their place with fewer and takes a new one at the end with more."
        )
