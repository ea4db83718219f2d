"""Whether this process lives, and whether it can serve.

Without Redis the site is slower, not broken, so only PostgreSQL decides about being ready: a Redis
that is away must not take every web process out of rotation at once.
"""

from django.core.cache import caches
from django.db import DatabaseError, connection
from django.http import HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis import RedisError


@require_safe
@never_cache
def healthz(request):
    return HttpResponse("alive\n", content_type="text/plain")


@require_safe
@never_cache
def readyz(request):
    services = {"database": _database(), "redis": _redis()}
    ready = services["database"] == "ok"
    return JsonResponse({"ready": ready, **services}, status=200 if ready else 503)


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "away"
    return "ok"


def _redis() -> str:
    try:
        caches["default"].client.get_client().ping()
    except (RedisError, OSError):
        return "away"
    return "ok"
