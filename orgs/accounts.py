"""How people's accounts differ from what django-allauth takes for granted."""

import re

from allauth.account.adapter import DefaultAccountAdapter
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from orgs.models import User
from orgs.models.fields import ADDRESS

LONGEST = User._meta.get_field("email").max_length


class AccountAdapter(DefaultAccountAdapter):
    def clean_email(self, email: str) -> str:
        """Only what the database takes, said before it has to refuse."""
        if not re.fullmatch(ADDRESS, email) or len(email) > LONGEST:
            raise ValidationError(_("Write an address that mail can be sent to, such as ada@example.org."))
        return super().clean_email(email)
