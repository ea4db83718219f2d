"""Words for the operator: what is logged, and how. A part of the settings."""

import environ

env = environ.Env()

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "happening.log_scrubbing.ScrubbingFormatter",
            "format": "%(levelname)s %(name)s: %(message)s",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "celery": {"level": "WARNING"},  # a task that worked is no news
        "fido2": {"level": "WARNING"},  # it would name people's keys
        "pika": {"level": "ERROR"},  # what it meets is told by whoever uses it
    },
}
