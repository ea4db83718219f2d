"""Signing in through Keycloak, or any OpenID provider that speaks like it.

    begin    -> the provider's page -> callback -> claims (proven) -> identity (whose account) -> session
    provider speaks to the provider: endpoints, keys, tokens; whatever it can throw leaves as `SignInRefused`
    tokens   is what makes a token ours: signature, issuer, audience, nonce, times
    identity finds, makes or links the account, by the subject alone, never by an address
    groups   turns the provider's groups into memberships, by a table that platform staff keep
    returning carries a sign-in from the platform's host, where all of this happens, to a tenant's
    leaving  ends a session at both ends; `backchannel` ends it when the provider says so

The site starts and shows its pages whether or not the provider does; signing in by email is another way.
"""
