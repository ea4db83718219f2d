"""The provider's settings. Who it is and whom it serves, `make run` puts into the environment."""

from pathlib import Path

import environ

from happening.demo.identity import REALM
from happening.demo.identity.key import signing_key
from happening.embedded.environment import data_directory

env = environ.Env()
ISSUER = env.str("OIDC_ISSUER")
SITE_URL = env.str("SITE_URL")
CLIENT_ID = env.str("OIDC_CLIENT_ID")
CLIENT_SECRET = env.str("OIDC_CLIENT_SECRET")

SECRET_KEY = CLIENT_SECRET
ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
ROOT_URLCONF = "happening.demo.identity.urls"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "oauth2_provider"]
MIDDLEWARE = [
    "django.middleware.common.CommonMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).parent / "templates"],
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    }
]
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

DATABASES = {"default": {**env.db("DATABASE_URL"), "CONN_MAX_AGE": 600}}
if socket_directory := DATABASES["default"].setdefault("OPTIONS", {}).pop("host", None):
    DATABASES["default"]["HOST"] = socket_directory
DATABASES["default"]["NAME"] += "_identity"

# Cookies know no ports, and the site stands on the same host.
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "identity-session", "identity-csrf"
LOGIN_URL = f"{REALM}/login/"

OAUTH2_PROVIDER = {
    "OIDC_ENABLED": True,
    "OIDC_ISS_ENDPOINT": ISSUER,
    "OIDC_RSA_PRIVATE_KEY": signing_key(data_directory() / "identity.pem"),
    "OAUTH2_VALIDATOR_CLASS": "happening.demo.identity.claims.Claims",
    "PKCE_REQUIRED": True,
    "SCOPES": {"openid": "Who you are", "email": "Your address", "profile": "Your name"},
    "ACCESS_TOKEN_EXPIRE_SECONDS": 300,
    "ID_TOKEN_EXPIRE_SECONDS": 300,
    "OIDC_RP_INITIATED_LOGOUT_ENABLED": True,
    "OIDC_RP_INITIATED_LOGOUT_ALWAYS_PROMPT": False,
}
LOGGING_CONFIG = None
