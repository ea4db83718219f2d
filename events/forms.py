"""What a visitor may ask of the list. A filter that cannot be read is said so, and left out."""

from datetime import date
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from events.models import Event
from orgs.models import Organization

EARLIEST, LATEST = date(2000, 1, 1), date(2199, 12, 31)
ORGANIZATIONS_OFFERED = 50


class DayField(forms.DateField):
    widget = forms.DateInput({"type": "date"}, format="%Y-%m-%d")
    default_error_messages = {
        "invalid": _("Write a date as year-month-day, for example 2030-06-12."),
    }

    def clean(self, value):
        day = super().clean(value)
        if day and not EARLIEST <= day <= LATEST:
            raise ValidationError(_("Choose a date between 2000 and 2199."))
        return day


class ListFilters(forms.Form):
    """Fields: q, category, from, to, org (a slug or an id), available."""

    q = forms.CharField(
        label=_("Search"),
        max_length=200,
        required=False,
        widget=forms.TextInput(
            {"type": "search", "placeholder": _("Title, place, words"), "autocomplete": "off"}
        ),
    )
    category = forms.ChoiceField(
        label=_("Category"),
        choices=[("", _("All categories")), *Event.Category.choices],
        required=False,
        error_messages={"invalid_choice": _("There is no such category. Choose one from the list.")},
    )
    org = forms.CharField(label=_("Organization"), max_length=63, required=False)
    available = forms.BooleanField(label=_("Only with seats left"), required=False)

    def __init__(self, data, *, host: Organization | None = None):
        """On the host of an organization (`host`) there is nothing to choose between several."""
        super().__init__(data, prefix=None, auto_id="filter-%s")
        self.fields["from"] = DayField(label=_("From"), required=False)
        self.fields["to"] = DayField(label=_("Until"), required=False)
        self.order_fields(["q", "category", "from", "to", "org", "available"])
        self.organizations = []
        if host:
            del self.fields["org"]
        else:
            self._offer_organizations()

    def _offer_organizations(self) -> None:
        self.organizations = list(
            Organization.objects.active().only("slug", "name").order_by("name")[: ORGANIZATIONS_OFFERED + 1]
        )
        if len(self.organizations) > ORGANIZATIONS_OFFERED:
            self.organizations = []  # too many to choose from: an organization's name on any event leads here
        self.fields["org"].widget = forms.Select(choices=self._organization_choices())

    def clean_org(self) -> Organization | None:
        name = self.cleaned_data["org"]
        if not name:
            return None
        for organization in self.organizations:
            if name in (organization.slug, str(organization.pk)):
                return organization
        found = Organization.objects.active().filter(_named(name)).first()
        if found is None:
            raise ValidationError(_("There is no such organization here. All are shown."))
        return found

    def clean(self):
        first, last = self.cleaned_data.get("from"), self.cleaned_data.get("to")
        if first and last and last < first:
            self.add_error("to", _("This is before the first day, so it is left out."))

    @property
    def chosen(self) -> dict:
        """The filters that hold: name to value. Valid ones only."""
        if not hasattr(self, "cleaned_data"):
            self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}

    @property
    def narrows(self) -> bool:
        """Whether it asks for more than words, so that the rest of the form should be seen."""
        return any(self.data.get(name) for name in self.fields if name != "q")

    def _organization_choices(self):
        return [("", _("All organizations"))] + [
            (organization.slug or str(organization.pk), organization.name)
            for organization in self.organizations
        ]


def _named(name: str) -> Q:
    try:
        return Q(pk=UUID(name))
    except ValueError:
        return Q(slug=name)
