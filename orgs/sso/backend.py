"""mozilla-django-oidc's backend, with every check that it leaves to others.

It acts for the callback alone: it asks for what no password form has, so Django never hands it one. Its
people are looked up anew at each request, and only the active are found.
"""

from collections.abc import Callable

from mozilla_django_oidc.auth import OIDCAuthenticationBackend

from orgs.models import User
from orgs.sso import provider, tokens
from orgs.sso.errors import TokenRefused

PATH = f"{__name__}.KeycloakBackend"


class KeycloakBackend(OIDCAuthenticationBackend):
    """After `authenticate`, `id_token` is what proved it and `claims` is what it said."""

    def authenticate(self, request, *, nonce: str, code_verifier: str, whose: Callable[[dict], User]):
        """The account, found by `whose`, of the person who comes back with a code; None without a code.

        Raises:
            SignInRefused: by the provider, by a token, or by `whose`.
        """
        self.whose = whose
        return super().authenticate(request, nonce=nonce, code_verifier=code_verifier)

    def get_token(self, payload):
        id_token, access_token = provider.tokens_for(payload)
        return {"id_token": id_token, "access_token": access_token}

    def verify_token(self, token, **kwargs):
        return tokens.id_token_claims(token, nonce=kwargs["nonce"])

    def store_tokens(self, access_token, id_token):
        """The ID token, to sign out with; nobody needs the other. The session is not this person's yet."""
        self.id_token = id_token

    def get_userinfo(self, access_token, id_token, payload):
        facts = provider.facts_about_the_bearer(access_token)
        if facts.get("sub") != payload["sub"]:
            raise TokenRefused("userinfo is about somebody else")
        return facts

    def get_or_create_user(self, access_token, id_token, payload):
        self.claims = {**self.get_userinfo(access_token, id_token, payload), **payload}
        return self.whose(self.claims)

    def get_user(self, user_id):
        try:
            person = User.objects.get(pk=user_id)
        except User.DoesNotExist:
            return None
        return person if self.user_can_authenticate(person) else None
