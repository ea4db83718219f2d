"""Second factors: what an authenticator app shares with the site is sealed in the database."""

from allauth.mfa.adapter import DefaultMFAAdapter

from orgs.sealing import seal, unseal


class SecondFactorAdapter(DefaultMFAAdapter):
    def encrypt(self, text: str) -> str:
        return seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        return unseal(encrypted_text)
