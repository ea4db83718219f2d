"""The sign-up form's own field: what a person is called."""

from django import forms
from django.utils.translation import gettext_lazy as _

from orgs.names import validate_visible


class NameForm(forms.Form):
    name = forms.CharField(
        label=_("Your name"),
        max_length=200,
        validators=[validate_visible],
        widget=forms.TextInput({"autocomplete": "name"}),
    )

    field_order = ["name", "email", "password1"]

    def signup(self, request, user):
        user.name = self.cleaned_data["name"]
        user.save(update_fields=["name"])
