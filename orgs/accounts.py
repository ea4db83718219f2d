"""How people's accounts differ from what django-allauth takes for granted."""

import re

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context as allauth_context
from django.contrib import messages
from django.contrib.sites.shortcuts import get_current_site
from django.core.exceptions import PermissionDenied, ValidationError
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from orgs import account_mail, offers
from orgs.models import AccountMail, User
from orgs.models.fields import ADDRESS
from orgs.safe_next import is_safe
from orgs.sso import provider
from orgs.sso.identity import is_managed_elsewhere

LONGEST = User._meta.get_field("email").max_length
KINDS = {
    "account/email/email_confirmation": AccountMail.Kind.VERIFICATION,
    "account/email/email_confirmation_signup": AccountMail.Kind.VERIFICATION,
    "account/email/password_reset_key": AccountMail.Kind.PASSWORD_RESET,
}


class AccountAdapter(DefaultAccountAdapter):
    def clean_email(self, email: str) -> str:
        """Only what the database takes, said before it has to refuse."""
        if not re.fullmatch(ADDRESS, email) or len(email) > LONGEST:
            raise ValidationError(_("Write an address that mail can be sent to, such as ada@example.org."))
        return super().clean_email(email)

    def is_safe_url(self, url: str | None) -> bool:
        return is_safe(url)

    def pre_login(self, request, user: User, **facts):
        """A passkey from before is no way around the provider that keeps somebody's account now."""
        if user.is_active and is_managed_elsewhere(user):
            messages.info(request, _("You sign in by your organization's single sign-on."))
            return redirect("account_login")
        return super().pre_login(request, user, **facts)

    def post_login(self, request, user: User, **facts):
        offers.note(request, user)
        return super().post_login(request, user, **facts)

    def send_mail(self, template_prefix: str, email: str, context: dict) -> None:
        """Owed rather than sent: no request of a person waits for a mail server."""
        request = allauth_context.request
        facts = {"request": request, "email": email, "current_site": get_current_site(request), **context}
        message = self.render_mail(template_prefix, email, facts)
        account_mail.post(
            kind=KINDS.get(template_prefix, AccountMail.Kind.NOTICE),
            to=email,
            subject=message.subject,
            text=message.body,
            user_id=getattr(context.get("user"), "pk", None),
            now=timezone.now(),
        )

    def set_password(self, user: User, password: str) -> None:
        """Nobody who signs in by single sign-on alone gets a way around it."""
        if is_managed_elsewhere(user):
            raise PermissionDenied
        user.set_password(password)
        user.save(update_fields=["password"])

    def get_reauthentication_methods(self, user: User) -> list[dict]:
        methods = super().get_reauthentication_methods(user)
        if user.is_authenticated and user.keycloak_id and provider.is_configured():
            url = f"{reverse('oidc_begin')}?again=1"
            methods.append({"id": "oidc", "description": _("Use single sign-on"), "url": url})
        return methods
