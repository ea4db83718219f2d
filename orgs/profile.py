"""What a person tells of themselves: name, phone, and how they like to read times and words."""

import re
from functools import cache
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orgs.models import User
from orgs.names import validate_visible

PHONE = r"\+[1-9][0-9]{1,14}"  # E.164, as the database holds it


@cache
def zones() -> list[tuple[str, str]]:
    """Places people live in, by their names in the zone database; no offsets and no old names."""
    names = sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))
    own = ("", gettext_lazy("That of the event"))
    return [own, *((name, name.replace("_", " ")) for name in names)]


class ProfileForm(forms.ModelForm):
    name = forms.CharField(
        label=gettext_lazy("Your name"),
        max_length=200,
        validators=[validate_visible],
        widget=forms.TextInput({"autocomplete": "name"}),
    )
    phone = forms.CharField(
        label=gettext_lazy("Phone"),
        required=False,
        max_length=40,
        help_text=gettext_lazy("With the country's code, such as +49 30 901820. You need not tell it."),
        widget=forms.TextInput({"autocomplete": "tel", "type": "tel"}),
    )
    time_zone = forms.ChoiceField(
        label=gettext_lazy("Time zone"),
        required=False,
        choices=zones,
        help_text=gettext_lazy("Events show their own time; mails add yours where it differs."),
    )
    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=settings.LANGUAGES)

    class Meta:
        model = User
        fields = ("name", "phone")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        kept = self.instance.profile
        self.initial |= {"time_zone": kept.get("time_zone", ""), "language": kept.get("language", "en")}
        if len(settings.LANGUAGES) == 1:
            del self.fields["language"]

    def clean_phone(self) -> str | None:
        written = re.sub(r"[\s().\-/]", "", self.cleaned_data["phone"])
        phone = f"+{written[2:]}" if written.startswith("00") else written
        if phone and not re.fullmatch(PHONE, phone):
            raise ValidationError(_("Write it with the country's code, such as +49 30 901820."))
        return phone or None

    def save(self, commit=True):
        chosen = {name: self.cleaned_data.get(name) for name in ("time_zone", "language")}
        kept = {**self.instance.profile, **chosen}
        self.instance.profile = {name: value for name, value in kept.items() if value not in ("", None)}
        self.instance.save(update_fields=["name", "phone", "profile"])
        return self.instance
