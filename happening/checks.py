"""What must hold of the settings together, told by `manage.py check` and before a server serves."""

from django.conf import settings
from django.core.checks import Error, register
from django.core.exceptions import ImproperlyConfigured

POOL_SIZE = 4  # psycopg's own, where none is given


@register()
def each_thread_has_a_connection(app_configs, **kwargs) -> list[Error]:
    """Whoever leads a batch of bookings needs a connection while all other threads keep theirs and wait for
    it (`bookings.combining`). With a smaller pool it would wait for those who wait for it."""
    pool = settings.DATABASES["default"].get("OPTIONS", {}).get("pool")
    if not pool:
        return []
    options = pool if isinstance(pool, dict) else {}
    largest = options.get("max_size") or options.get("min_size", POOL_SIZE)
    if largest >= settings.WEB_THREADS:
        return []
    return [
        Error(
            f"The pool of database connections holds {largest}, and a web process has {settings.WEB_THREADS} "
            "threads: those that wait for a booking would starve the one that makes it.",
            hint="Leave the pool out, or give it max_size = WEB_THREADS or more.",
            id="happening.E001",
        )
    ]


def ensure_connections() -> None:
    """Refuse to serve with too few.

    Raises:
        ImproperlyConfigured: why, and what to do.
    """
    for error in each_thread_has_a_connection(None):
        raise ImproperlyConfigured(f"{error.msg} {error.hint}")
