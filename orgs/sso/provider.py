"""The provider's side of the wire: the one file that speaks HTTP to it.

Nothing is asked when the site starts: the endpoints are Keycloak's paths below the issuer, unless settings
say otherwise, and the keys are fetched when the first token comes. They are kept for ten minutes; a token
that names a key we do not have asks once more, at most every half minute, so that a new key is known at once
and invented ones cost the provider nothing. Who needs the keys while somebody asks waits for that answer; a
provider that did not give one is left alone for a moment, or each of a crowd would wait for it in turn.
"""

import threading
import time

import jwt
import requests
from django.conf import settings

from orgs.sso.errors import CodeRefused, ProviderAway, TokenRefused

KEYS_LIVE = 600  # seconds
ASK_AGAIN = 30  # seconds between two questions about a key that is not there
LEFT_ALONE = 5  # seconds, after it did not answer


def is_configured() -> bool:
    return bool(settings.OIDC_ISSUER)


def tokens_for(form: dict) -> tuple[str, str]:
    """The ID token and the access token for a code.

    Raises:
        CodeRefused: the provider does not take it.
        ProviderAway: it does not answer, or with something else.
    """
    answer = _send("POST", settings.OIDC_OP_TOKEN_ENDPOINT, data=form)
    if answer.status_code in (400, 401):
        raise CodeRefused
    facts = _json(answer)
    try:
        return str(facts["id_token"]), str(facts["access_token"])
    except KeyError:
        raise ProviderAway from None


def facts_about_the_bearer(access_token: str) -> dict:
    """What the userinfo endpoint says."""
    headers = {"Authorization": f"Bearer {access_token}"}
    return _json(_send("GET", settings.OIDC_OP_USER_ENDPOINT, headers=headers))


def configuration() -> dict:
    """What the provider says of itself (OpenID Connect Discovery).

    Raises:
        ProviderAway
    """
    return _json(_send("GET", f"{settings.OIDC_ISSUER}/.well-known/openid-configuration"))


def signing_keys() -> int:
    """How many keys it signs with that we would take.

    Raises:
        ProviderAway
    """
    found = _json(_send("GET", settings.OIDC_OP_JWKS_ENDPOINT)).get("keys", [])
    return sum(_signs(key) for key in found)


def _send(method: str, url: str, **parts) -> requests.Response:
    try:
        return requests.request(method, url, timeout=settings.OIDC_TIMEOUT, allow_redirects=False, **parts)
    except requests.RequestException as error:
        raise ProviderAway from error


def _json(answer: requests.Response) -> dict:
    if answer.status_code != 200:
        raise ProviderAway
    try:
        facts = answer.json()
    except requests.JSONDecodeError:
        raise ProviderAway from None
    if not isinstance(facts, dict):
        raise ProviderAway
    return facts


class Keys:
    """The provider's public keys for signatures, by their ids."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_id: dict[str, jwt.PyJWK] = {}
        self._from = ""
        self._asked_at = self._failed_at = float("-inf")

    def named(self, key_id: str) -> jwt.PyJWK:
        """The key that a token says it was signed with.

        Raises:
            TokenRefused: the provider has no such key.
            ProviderAway: it was asked and does not answer, or did not a moment ago.
        """
        if self._is_to_be_asked_about(key_id):
            with self._lock:
                if self._is_to_be_asked_about(key_id):
                    self._ask()
        try:
            return self._by_id[key_id]
        except KeyError:
            raise TokenRefused("unknown key") from None

    def _is_to_be_asked_about(self, key_id: str) -> bool:
        life = KEYS_LIVE if key_id in self._by_id else ASK_AGAIN
        return self._from != settings.OIDC_OP_JWKS_ENDPOINT or time.monotonic() - self._asked_at > life

    def _ask(self) -> None:
        if time.monotonic() - self._failed_at < LEFT_ALONE:
            raise ProviderAway
        url = settings.OIDC_OP_JWKS_ENDPOINT
        try:
            found = _json(_send("GET", url)).get("keys", [])
        except ProviderAway:
            self._failed_at = time.monotonic()
            raise
        self._by_id = {key["kid"]: jwt.PyJWK(key, algorithm="RS256") for key in found if _signs(key)}
        self._from, self._asked_at = url, time.monotonic()


def _signs(key: dict) -> bool:
    return key.get("kty") == "RSA" and key.get("use", "sig") == "sig" and bool(key.get("kid"))


keys = Keys()
