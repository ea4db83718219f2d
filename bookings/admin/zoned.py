"""A date and a time as a clock shows them at an event's own place, typed and shown without the server's."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from events.zones import FIRST_YEAR, LAST_YEAR, ZONES, zone_named


class LocalMomentWidget(forms.SplitDateTimeWidget):
    def __init__(self, attrs=None):
        super().__init__(
            attrs,
            date_format="%Y-%m-%d",
            time_format="%H:%M",
            date_attrs={"type": "date", "aria-label": _("Date"), "min": "2000-01-01", "max": "2199-12-31"},
            time_attrs={"type": "time", "aria-label": _("Time")},
        )

    def decompress(self, value):
        return [value.date(), value.time()] if value else [None, None]


class LocalMoment(forms.SplitDateTimeField):
    """A moment without a zone; `ZonedForm` gives it the one that the form names."""

    widget = LocalMomentWidget

    def __init__(self, **kwargs):
        super().__init__(input_date_formats=["%Y-%m-%d"], input_time_formats=["%H:%M", "%H:%M:%S"], **kwargs)

    def compress(self, values):
        if not values:
            return None
        day, time = values
        if not day or not time:
            raise ValidationError(_("Write both the date and the time."))
        if not FIRST_YEAR < day.year < LAST_YEAR:
            raise ValidationError(_("Choose a year that calendars know."))
        return datetime.combine(day, time)


class ZonedForm(forms.BaseForm):
    """A form with a `time_zone` and LocalMoments: it begins with what the clock of that zone shows, and
    ends with moments that know it."""

    def show_on_the_clock_of(self, zone: ZoneInfo) -> None:
        for name, field in self.fields.items():
            moment = self.initial.get(name)
            if isinstance(field, LocalMoment) and moment and moment.tzinfo:
                self.initial[name] = moment.astimezone(zone).replace(tzinfo=None)

    def clean(self):
        facts = super().clean() or self.cleaned_data
        zone = zone_named(facts.get("time_zone") or self.zone_name)
        for name, field in self.fields.items():
            if isinstance(field, LocalMoment) and facts.get(name):
                try:
                    facts[name] = on_the_clock(facts[name], zone)
                except ValidationError as error:
                    self.add_error(name, error)
        return facts

    zone_name = "UTC"  # where the form has no field for it


def on_the_clock(local: datetime, zone: ZoneInfo) -> datetime:
    """The moment at which the clocks of `zone` show `local`; the first of two where they are put back.

    Raises ValidationError for an hour that is skipped when they are put forward.
    """
    moment = local.replace(tzinfo=zone)
    if moment.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != local:
        raise ValidationError(_("The clocks are put forward then: there is no such time on that day."))
    return moment.astimezone(UTC)


def zone_field(**kwargs) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=_("Time zone"),
        choices=[(name, name.replace("_", " ")) for name in ZONES],
        help_text=_("All times of the event are on this clock."),
        **kwargs,
    )
