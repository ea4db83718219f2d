"""An identity provider for development, so that `make run` can offer single sign-on: Keycloak's paths, the
demo's people, the same password for all.

A program and a Django project of its own (django-oauth-toolkit), with a database of its own beside
Happening's; it shares no code with the site that signs in by it. Never part of a production install.
"""

REALM = "/realms/happening"
PROTOCOL = f"{REALM}/protocol/openid-connect"
