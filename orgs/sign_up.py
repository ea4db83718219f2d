"""Signing up, when somebody else, or the same person in another tab, does so with the same address right now.

(The library's form imports `orgs.forms`, so what builds on it cannot stand there.)
"""

from allauth.account.forms import SignupForm
from django.db import IntegrityError, transaction

ONE_EACH = "users_have_distinct_emails"


class SignUpForm(SignupForm):
    def try_save(self, request):
        """Whoever comes second gets the usual answer of an address that is known: none that tells."""
        try:
            with transaction.atomic():
                return super().try_save(request)
        except IntegrityError as error:
            if error.__cause__.diag.constraint_name != ONE_EACH:
                raise
        self.account_already_exists = True
        return super().try_save(request)
