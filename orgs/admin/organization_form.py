"""An organization's settings as a form: each a field with a sentence, all checked by the one schema."""

from zoneinfo import available_timezones

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from orgs import logos
from orgs.models import Organization
from orgs.names import validate_visible
from orgs.organization_settings import validate_settings

LOGO = ["logo", "no_logo"]
SETTINGS = ["colour", "support_email", "time_zone", "reminder_hours"]
ZONES = sorted(name for name in available_timezones() if "/" in name or name == "UTC")


class OrganizationForm(forms.ModelForm):
    colour = forms.CharField(
        label=_("Colour"),
        max_length=7,
        required=False,
        help_text=_("Of links and buttons on your pages: # and six digits, such as #5b3fd6."),
    )
    support_email = forms.EmailField(
        label=_("Support address"),
        max_length=254,
        required=False,
        help_text=_("Where people write who need help; it stands on your pages and in your mails."),
    )
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        choices=[("", _("None in particular")), *((name, name.replace("_", " ")) for name in ZONES)],
        required=False,
        help_text=_("Where most of your events are; a new event begins with it."),
    )
    reminder_hours = forms.CharField(
        label=_("Reminders"),
        max_length=20,
        required=False,
        help_text=_("Hours before an event at which its people are reminded, such as 24, 2; at most three."),
    )

    logo = forms.FileField(
        label=_("Logo"),
        required=False,
        widget=forms.FileInput({"accept": "image/png,image/jpeg,image/webp,image/gif"}),
        help_text=_("A PNG, JPEG or WebP file of at most 2 MB. Choose none to keep the one there is."),
    )
    no_logo = forms.BooleanField(label=_("Take the logo away"), required=False)

    class Meta:
        model = Organization
        fields = ("name", "slug", "domain", "status")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name in SETTINGS:
            self.initial[name] = self.instance.settings.get(name, "")
        self.initial["reminder_hours"] = ", ".join(map(str, self.instance.settings.get("reminder_hours", [])))

    def clean_reminder_hours(self) -> list[int]:
        written = [part.strip() for part in self.cleaned_data["reminder_hours"].split(",") if part.strip()]
        if not all(part.isascii() and part.isdigit() for part in written):
            raise ValidationError(_("Write hours as numbers with commas, such as 24, 2."))
        return [int(part) for part in written]

    def clean_name(self):
        validate_visible(self.cleaned_data["name"])
        return self.cleaned_data["name"]

    def clean_slug(self):
        return (self.cleaned_data["slug"] or "").lower() or None

    def clean_domain(self):
        return (self.cleaned_data["domain"] or "").lower() or None

    def clean(self):
        facts = super().clean()
        for name in SETTINGS:
            if facts.get(name):
                try:
                    validate_settings({name: facts[name]})
                except ValidationError as error:
                    self.add_error(name, error)
        return facts

    def clean_logo(self) -> str | None:
        """The name of the picture as it is kept."""
        if not self.cleaned_data["logo"]:
            return None
        try:
            return logos.store(self.cleaned_data["logo"])
        except logos.LogoRefused as refused:
            raise ValidationError(str(refused)) from refused

    def settings_as_sent(self) -> dict:
        """What the form says of each setting; None for one that is not to be there."""
        sent = {name: self.cleaned_data.get(name) or None for name in SETTINGS}
        if self.cleaned_data["logo"] or self.cleaned_data["no_logo"]:
            sent["logo"] = self.cleaned_data["logo"]
        return sent
