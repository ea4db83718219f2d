"""The form of an event: a draft whole, of what is published the organizer's words alone."""

from django import forms
from django.utils.translation import gettext_lazy as _

from bookings.admin.zoned import LocalMoment, ZonedForm, zone_field
from events.models import Event
from events.seating import LARGEST
from events.zones import zone_named

WORDS = list(Event.WORDS)
DRAFT = [
    (None, ["title", "description", "category", "visibility"]),
    (_("When and where"), ["time_zone", "event_date", "ends_at", "place", "online_url"]),
    (_("Seats"), ["total_slots", "max_seats_per_booking", "max_seats_per_person"]),
    (_("Booking"), ["booking_opens_at", "booking_closes_at", "waitlist", "queue_rule"]),
]
HELP = {
    "description": _("Shown on the event's page. Links become links; an empty line begins a paragraph."),
    "place": _("Where people go, as they would find it on a map. Empty for an event that is online only."),
    "total_slots": _("How many people can come. A seating plan is drawn after this form is saved."),
    "max_seats_per_booking": _("From 1 to 50."),
    "max_seats_per_person": _("Confirmed and waiting seats together."),
    "waitlist": _("When it is full, people can wait in line and are confirmed when seats come free."),
    "queue_rule": _(
        "First in, first out: nobody is passed, and a large party can hold up the line. "
        "The first party that fits: fuller rooms, and small parties may pass large ones."
    ),
}


class EventForm(ZonedForm, forms.ModelForm):
    online_url = Event._meta.get_field("online_url").formfield(assume_scheme="https")
    time_zone = zone_field()
    event_date = LocalMoment(label=_("Starts"))
    ends_at = LocalMoment(label=_("Ends"), required=False)
    booking_opens_at = LocalMoment(
        label=_("Booking opens"), required=False, help_text=_("Empty: as soon as the event is published.")
    )
    booking_closes_at = LocalMoment(
        label=_("Booking closes"), required=False, help_text=_("Empty: when the event starts.")
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.show_on_the_clock_of(self.instance.zone)
        for name in set(HELP) & set(self.fields):
            self.fields[name].help_text = HELP[name]

    @property
    def zone_name(self):
        return self.instance.time_zone

    def clean_title(self):
        return " ".join(self.cleaned_data["title"].split())

    def clean_total_slots(self):
        seats = self.cleaned_data["total_slots"]
        if not 1 <= seats <= LARGEST:
            raise forms.ValidationError(
                _("An event has at least one seat, and at most %(n)s.") % {"n": f"{LARGEST:,}"}
            )
        if self.instance.seating and seats > self.instance.seating.seats:
            raise forms.ValidationError(
                _("The seating plan has %(n)s seats; there cannot be more.")
                % {"n": self.instance.seating.seats}
            )
        return seats

    def clean_max_seats_per_booking(self):
        seats = self.cleaned_data["max_seats_per_booking"]
        if not 1 <= seats <= 50:
            raise forms.ValidationError(_("One booking can hold from 1 to 50 seats."))
        return seats

    def clean_max_seats_per_person(self):
        seats = self.cleaned_data["max_seats_per_person"]
        if not 1 <= seats <= 32767:
            raise forms.ValidationError(_("A person can hold at least one seat, and at most 32,767."))
        return seats

    def clean(self):
        facts = super().clean()
        starts, ends = facts.get("event_date"), facts.get("ends_at")
        opens, closes = facts.get("booking_opens_at"), facts.get("booking_closes_at") or starts
        if starts and ends and ends <= starts:
            self.add_error("ends_at", _("The event must end after it starts."))
        if opens and closes and closes <= opens:
            self.add_error("booking_closes_at", _("Booking must close after it opens."))
        return facts


def zone_last_used(event: Event | None) -> str:
    """The zone to begin a new event with: that of the organization's latest."""
    return zone_named(event.time_zone).key if event else "UTC"


class WordsForm(forms.ModelForm):
    """Of a published event: nothing that people have to be told of."""

    clean_title = EventForm.clean_title
