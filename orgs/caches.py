"""The site's cache in Redis, with a second home for what must not go missing: the counts of attempts.

Without Redis a cached page is made anew, but a count of failed sign-ins, or the note that a number of an
authenticator app is spent, would either be lost or, as django-allauth has it, keep everybody out. While
Redis is away each process counts in its own memory: a limit then holds for one process, and people get in.
"""

from django.core.cache.backends.locmem import LocMemCache
from django_redis.cache import RedisCache
from django_redis.exceptions import ConnectionInterrupted
from redis import RedisError

from orgs.breaker import Away, Breaker

COUNTS = "allauth"  # how the keys of django-allauth begin: attempts, and numbers of an app that are spent


class SiteCache(RedisCache):
    def __init__(self, server, params):
        super().__init__(server, params)
        self._memory = LocMemCache("counts", params={"OPTIONS": {"MAX_ENTRIES": 10_000}})

    def add(self, key, *args, **kwargs):
        return self._counted(key, "add", *args, **kwargs)

    def get(self, key, *args, **kwargs):
        return self._counted(key, "get", *args, **kwargs)

    def set(self, key, *args, **kwargs):
        return self._counted(key, "set", *args, **kwargs)

    def delete(self, key, *args, **kwargs):
        return self._counted(key, "delete", *args, **kwargs)

    def _counted(self, key, command, *args, **kwargs):
        if not str(key).startswith(COUNTS):
            return getattr(super(), command)(key, *args, **kwargs)
        try:
            return _breaker.ask(lambda: _unwrapped(getattr(self.client, command), key, *args, **kwargs))
        except Away:
            return getattr(self._memory, command)(key, *args, **kwargs)


def _unwrapped(command, *args, **kwargs):
    """The failure as redis-py raised it, not as django-redis dresses it."""
    try:
        return command(*args, **kwargs)
    except ConnectionInterrupted as error:
        raise RedisError from error.__cause__


_breaker = Breaker("limits")
