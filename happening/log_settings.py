"""Words for the operator: what is logged, and how. A part of the settings."""

import environ

env = environ.Env()

IN_PRODUCTION = env.str("HAPPENING_ENV", default="development") != "development"
LOG_FORMAT = env.str("LOG_FORMAT", default="json" if IN_PRODUCTION else "line")
LOG_REQUESTS = env.bool("LOG_REQUESTS", default=IN_PRODUCTION)  # at a terminal the server says them itself

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "happening.log_scrubbing.ScrubbingFormatter",
            "format": "%(levelname)s %(name)s: %(message)s",
        },
        "json": {"()": "happening.log_scrubbing.JsonFormatter"},
    },
    "filters": {"strangers": {"()": "happening.log_scrubbing.WithoutStrangersTracebacks"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT, "filters": ["strangers"]}
    },
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "celery": {"level": "WARNING"},  # a task that worked is no news
        "fido2": {"level": "WARNING"},  # it would name people's keys
        "pika": {"level": "CRITICAL"},  # what it meets is told by whoever uses it
    },
}
