"""Settings, read from the environment; `.env.example` lists every variable.

Where a service's URL is not set, `manage.py` and the tests put in the one of an embedded server
before this module is read (`happening.embedded`). In production an unset URL is an error.
"""

import os
from pathlib import Path

import environ

from happening.browser_settings import content_policy
from happening.secret_files import read_secret_files

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
if (BASE_DIR / ".env").exists():
    env.read_env(BASE_DIR / ".env")
read_secret_files(os.environ)

# --- What kind of run this is

ENVIRONMENT = env.str("HAPPENING_ENV", default="development")
DEVELOPMENT = ENVIRONMENT == "development"
DEBUG = env.bool("DEBUG", default=False)

if DEVELOPMENT:
    SECRET_KEY = env.str("SECRET_KEY", default="only-for-development-" + "0" * 40)
    ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1"])
else:
    SECRET_KEY = env.str("SECRET_KEY")
    ALLOWED_HOSTS = env.list("ALLOWED_HOSTS")  # of the platform, written out: see `orgs.tenancy`

SITE_URL = env.str("SITE_URL", default="http://localhost:8000")
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Happening <hello@happening.test>")
DATA_DIR = Path(env.str("HAPPENING_DATA", default=str(BASE_DIR / ".data")))
INSTANCE = env.str(
    "HAPPENING_INSTANCE", default=""
)  # before every name on servers shared with other instances

# --- Apps: each may import only those below it (checked by import-linter)

INSTALLED_APPS = [
    "happening",
    "bookings",
    "events",
    "notifications",
    "orgs",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "csp",
    "happening.apps.TenantAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
]

MIDDLEWARE = [
    "happening.watching.WatchingMiddleware",
    "orgs.tenancy.TenancyMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "happening.content_policy.ContentPolicy",
    "events.public_pages.PublicPages",
    "bookings.views.too_late.TooLate",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "orgs.entrance.EntranceMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "happening.urls"
WSGI_APPLICATION = "happening.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "orgs.look.look",
            ],
        },
    },
]

WEB_THREADS = env.int("WEB_THREADS", default=32)  # of each web process; one database connection a thread

# --- PostgreSQL: the truth. READ COMMITTED is pinned because the services' locking is written for it.

DATABASES = {
    "default": {
        **env.db("DATABASE_URL", engine="happening.postgresql"),
        "CONN_MAX_AGE": env.int("CONN_MAX_AGE", default=600),
        "CONN_HEALTH_CHECKS": True,
        "ATOMIC_REQUESTS": False,
    }
}
# A socket's directory, spelled `?host=` in the URL so that psql reads it too, where Django looks for it.
if socket_directory := DATABASES["default"].setdefault("OPTIONS", {}).pop("host", None):
    DATABASES["default"]["HOST"] = socket_directory
DATABASES["default"]["OPTIONS"].update(
    {
        "isolation_level": 2,  # psycopg.IsolationLevel.READ_COMMITTED
        "server_side_binding": True,
        "connect_timeout": 5,  # seconds: one that answers does so at once
    }
)
# Behind a pooler a session is somebody else's after each transaction: its limits stand on the role, and no
# cursor outlives a transaction (docs/deploy.md).
if env.bool("DATABASE_POOLED", default=False):
    DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = True
else:
    DATABASES["default"]["OPTIONS"]["options"] = (
        "-c lock_timeout=5s -c idle_in_transaction_session_timeout=60s -c timezone=UTC"
    )
    # Asked so many times, a statement's plan serves those that follow; 0: none is kept.
    DATABASES["default"]["OPTIONS"]["prepare_threshold"] = env.int("PREPARE_AFTER", default=5) or None
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Redis: in front of PostgreSQL, never instead of it. One logical database a purpose, because
# django-redis shares a pool between caches with the same URL, and so that clearing one spares the others.

REDIS_URL = env.str("REDIS_URL").rstrip("/")
REDIS_KEY_PREFIX = INSTANCE
REDIS_TIMEOUT = env.float("REDIS_TIMEOUT", default=0.15)  # seconds that anybody waits for it
REDIS_DATABASES = {"cache": 0, "sessions": 1, "seats": 2, "celery": 3, "live": 4}


def redis_url(purpose: str) -> str:
    """The URL of the Redis database kept for `purpose`, a key of REDIS_DATABASES."""
    number = REDIS_DATABASES[purpose]
    if REDIS_URL.startswith("unix://"):
        return f"{REDIS_URL}?db={number}"
    return f"{REDIS_URL}/{number}"


REDIS_URLS = {purpose: redis_url(purpose) for purpose in REDIS_DATABASES}


def celery_redis_url() -> str:
    """The same for Celery, which spells a socket's URL otherwise."""
    if REDIS_URL.startswith("unix://"):
        return f"redis+socket{REDIS_URL.removeprefix('unix')}?virtual_host={REDIS_DATABASES['celery']}"
    return redis_url("celery")


def redis_cache(purpose: str) -> dict:
    """A Django cache that is a miss, never an error, while Redis is away."""
    return {
        "BACKEND": "orgs.caches.SiteCache",
        "LOCATION": redis_url(purpose),
        "KEY_PREFIX": REDIS_KEY_PREFIX,
        "OPTIONS": {
            "SERIALIZER": "django_redis.serializers.json.JSONSerializer",
            "IGNORE_EXCEPTIONS": True,
            "SOCKET_TIMEOUT": REDIS_TIMEOUT,
            "SOCKET_CONNECT_TIMEOUT": REDIS_TIMEOUT,
        },
    }


PUBLIC_PAGES_KEPT = env.int("PUBLIC_PAGES_KEPT", default=5)  # seconds; 0: each visitor's page is made anew
CACHES = {"default": redis_cache("cache")}
SESSION_ENGINE = "orgs.sessions"
SESSION_REDIS_URL = redis_url("sessions")
SESSION_COOKIE_SAMESITE = "Lax"

# --- Live updates. A channel of Redis belongs to no database, so its name tells instances apart.

LIVE_MOST_STREAMS = env.int("LIVE_MOST_STREAMS", default=10_000)  # of a process
LIVE_MOST_STREAMS_OF_A_PERSON = env.int("LIVE_MOST_STREAMS_OF_A_PERSON", default=12)  # in a process
LIVE_MOST_STREAMS_OF_AN_ADDRESS = env.int(
    "LIVE_MOST_STREAMS_OF_AN_ADDRESS", default=200
)  # signed in as nobody
LIVE_REDIS_URL = REDIS_URLS["live"]
LIVE_CHANNEL = ":".join(filter(None, [REDIS_KEY_PREFIX, "happening", "live"]))

# --- Celery

AMQP_URL = env.str("AMQP_URL", default="")
CELERY_BROKER_URL = AMQP_URL or celery_redis_url()
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {"confirm_publish": True}
    if AMQP_URL
    else {"visibility_timeout": 360}  # longer than any task: then a killed worker's is handed out again
)
NUDGES = env.bool("NUDGES", default=True)  # whether a commit wakes a worker, or the timetable alone
MAIL_CONNECTIONS = env.int("MAIL_CONNECTIONS", default=4)  # to the mail server, of each sender
DELIVERY_TRIES = env.int("DELIVERY_TRIES", default=10)  # of a notification that is refused for now

# --- The history of bookings: all of it stays until a directory for its old months is named.

HISTORY_ARCHIVE = env.str("HISTORY_ARCHIVE", default="")
HISTORY_KEPT_MONTHS = env.int("HISTORY_KEPT_MONTHS", default=24)
# As the owner of the tables, who alone may take lines out; the application's own where that is the owner.
HISTORY_DATABASE_URL = env.str("HISTORY_DATABASE_URL", default="")

# --- People. How they sign in is a chapter of its own.

from happening.sign_in_settings import *  # noqa: E402, F403
from happening.sign_in_settings import OIDC_OP_LOGOUT_ENDPOINT  # noqa: E402

INVITE_DAYS = env.int("INVITE_DAYS", default=14)  # how long the link in an invitation works
# Whether anybody with a verified address may start an organization at /orgs/new/.
ORGANIZATIONS_BY_ANYBODY = env.bool("ORGANIZATIONS_BY_ANYBODY", default=True)
# How often somebody may ask: requests, in so many seconds. Beyond that the answer is 429 with Retry-After.
RATE_LIMITS = {
    "book": {
        "person": (env.int("BOOKINGS_PER_PERSON", default=30), 60),
        "address": (env.int("BOOKINGS_PER_ADDRESS", default=600), 60),  # a school, an office, a whole network
    },
    "start": {"person": (env.int("ORGANIZATIONS_PER_PERSON", default=20), 3_600)},
    "search": {"address": (env.int("SEARCHES_PER_ADDRESS", default=300), 60)},
}

# --- Mail: readable files in development, a server in production

EMAIL_TIMEOUT = env.int("EMAIL_TIMEOUT", default=10)  # seconds that a mail server may take for an answer
# And for the one to a whole mail: who asks again sooner has it delivered twice (RFC 5321, 4.5.3.2.6).
EMAIL_TAKING_TIMEOUT = env.int("EMAIL_TAKING_TIMEOUT", default=600)
if env.str("EMAIL_URL", default=""):
    vars().update(env.email("EMAIL_URL"))
else:
    EMAIL_BACKEND = "happening.mail_files.EmailBackend"
    EMAIL_FILE_PATH = DATA_DIR / "mail"

# --- Words and times: stored in UTC, shown in the event's own zone

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]
USE_I18N = True
USE_TZ = True
FORMAT_MODULE_PATH = "happening.formats"
TIME_ZONE = "UTC"

# --- Files

MEDIA_ROOT = DATA_DIR / "media"  # organizations' logos, served by `orgs.look`
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if not DEVELOPMENT
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEVELOPMENT
WHITENOISE_AUTOREFRESH = DEVELOPMENT

# --- The browser's walls

# Signing out leads to the provider, from a tenant's host by way of the platform's.
CONTENT_SECURITY_POLICY = content_policy(forms_lead_to=[SITE_URL, OIDC_OP_LOGOUT_ENDPOINT])
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "happening.views.page_expired"
if not DEVELOPMENT:
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
    SECURE_REDIRECT_EXEMPT = ["^healthz$", "^readyz$", "^metrics$"]
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"

# --- Watching: all processes of a machine count in one directory; /metrics is closed to strangers

METRICS_DIR = Path(env.str("METRICS_DIR", default=str(DATA_DIR / "metrics")))
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
METRICS_NETWORKS = env.list("METRICS_NETWORKS", default=["127.0.0.0/8", "::1/128"])

# --- Words for the operator

from happening.log_settings import LOG_REQUESTS, LOGGING  # noqa: E402, F401
