"""What forms of django-allauth refuse beyond their own (its sign-up form imports `forms`, so not there)."""

from allauth.account import forms
from allauth.account.adapter import get_adapter
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from orgs.sso.identity import is_managed_elsewhere


class ResetPasswordForm(forms.ResetPasswordForm):
    """Who signs in by single sign-on alone gets no password here, which would lead around its second factor.
    They are told so by mail, and the page says the same to everybody."""

    def save(self, request, **kwargs) -> str:
        if not any(is_managed_elsewhere(person) for person in self.users):
            return super().save(request, **kwargs)
        email = self.cleaned_data["email"]
        get_adapter().send_mail("account/email/managed_elsewhere", email, {})
        return email


class AddEmailForm(forms.AddEmailForm):
    def clean_email(self) -> str:
        if is_managed_elsewhere(self.user):
            raise ValidationError(_("Your address is kept by your organization's single sign-on."))
        return super().clean_email()
