"""How people sign in: by email or by Keycloak, with second factors. A part of the settings."""

import environ

env = environ.Env()

# --- Accounts

AUTH_USER_MODEL = "orgs.User"
SILENCED_SYSTEM_CHECKS = [
    "auth.W004"
]  # email is unique on lower(email), by a constraint that the check cannot see
AUTHENTICATION_BACKENDS = [
    "allauth.account.auth_backends.AuthenticationBackend",
    "orgs.sso.backend.KeycloakBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "event_list"
LOGOUT_REDIRECT_URL = "event_list"
ACCOUNT_ADAPTER = "orgs.accounts.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_SIGNUP_FORM_CLASS = "orgs.forms.NameForm"
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_CONFIRM_EMAIL_ON_GET = False
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_UNIQUE_EMAIL = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_EMAIL_NOTIFICATIONS = True  # of what changes about signing in
ACCOUNT_RATE_LIMITS = {} if env.bool("RATE_LIMITS", default=True) else False  # {}: those of the library
ACCOUNT_FORMS = {
    "signup": "orgs.sign_up.SignUpForm",
    "reset_password": "orgs.account_forms.ResetPasswordForm",
    "add_email": "orgs.account_forms.AddEmailForm",
}
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=0)
MFA_ADAPTER = "orgs.second_factor.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Happening"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = env.str("HAPPENING_ENV", default="development") == "development"

# --- Single sign-on: Keycloak, or another OpenID provider. Not there without OIDC_ISSUER.
# Nothing is asked of it before somebody signs in; the paths are Keycloak's unless they are given.

OIDC_ISSUER = env.str("OIDC_ISSUER", default="").rstrip("/")
OIDC_RP_CLIENT_ID = env.str("OIDC_CLIENT_ID", default="happening")
OIDC_RP_CLIENT_SECRET = env.str("OIDC_CLIENT_SECRET", default="")
OIDC_RP_SCOPES = env.str("OIDC_SCOPES", default="openid email profile")
OIDC_SESSION_HOURS = env.int("OIDC_SESSION_HOURS", default=10)


def oidc_endpoint(name: str) -> str:
    """OIDC_<NAME>_ENDPOINT, or Keycloak's path."""
    given = env.str(f"OIDC_{name.upper()}_ENDPOINT", default="")
    return given or f"{OIDC_ISSUER}/protocol/openid-connect/{name}"


OIDC_OP_AUTHORIZATION_ENDPOINT = oidc_endpoint("auth")
OIDC_OP_TOKEN_ENDPOINT = oidc_endpoint("token")
OIDC_OP_USER_ENDPOINT = oidc_endpoint("userinfo")
OIDC_OP_JWKS_ENDPOINT = oidc_endpoint("certs")
OIDC_OP_LOGOUT_ENDPOINT = oidc_endpoint("logout")
OIDC_RP_SIGN_ALGO = "RS256"
OIDC_TIMEOUT = 5
OIDC_AUTHENTICATION_CALLBACK_URL = "oidc_callback"
