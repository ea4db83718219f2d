"""Redis or Valkey: whether it answers, what it drops, and what room it has."""

from collections.abc import Iterator
from contextlib import closing

import redis

from happening import settings
from happening.doctor.finding import Finding
from happening.doctor.look import REDIS, NotThere
from happening.doctor.words import first_line, is_nowhere, where

SECONDS = 5
OLDEST = (6, 2)  # of Redis; Valkey begins with 7.2
FULL = 0.9


def client() -> closing[redis.Redis]:
    """A client of our own with more patience than a visitor's request has."""
    return closing(
        redis.Redis.from_url(
            settings.redis_url("seats"), socket_timeout=SECONDS, socket_connect_timeout=SECONDS, retry=None
        )
    )


def answers() -> Iterator[Finding]:
    if is_nowhere("REDIS_URL"):
        raise NotThere("there is none", "Mend what stands under Servers.", because="there is no Redis")
    try:
        with client() as server:
            facts = server.info()
    except redis.RedisError as error:
        mend = "Start Redis, or correct REDIS_URL. Booking goes on without it, guarded by PostgreSQL alone."
        raise NotThere(
            f"{where('REDIS_URL')} does not answer: {first_line(error)}",
            mend,
            because="Redis does not answer",
        ) from error
    name = "Valkey" if "valkey_version" in facts else "Redis"
    version = facts.get("valkey_version") or facts["redis_version"]
    old = tuple(int(part) for part in version.split(".")[:2]) < OLDEST
    mend = "Use Redis 6.2 or newer, or Valkey: older ones are not tested." if old else ""
    yield Finding(REDIS, f"{name} {version}, {where('REDIS_URL')}", mend)
    yield from _memory(facts)


def _memory(facts: dict) -> Iterator[Finding]:
    policy = facts.get("maxmemory_policy", "noeviction")
    used, most = facts["used_memory"], facts.get("maxmemory", 0)
    if policy != "noeviction":
        says = f"it drops keys when it is full ({policy}), and counters that vanish hide seats"
        yield Finding("Redis memory", says, "redis-cli CONFIG SET maxmemory-policy noeviction")
    elif most and used > FULL * most:
        says = (
            f"{used / most:.0%} of {most / 1e6:.0f} MB are used; full, it refuses and PostgreSQL alone guards"
        )
        yield Finding("Redis memory", says, "Give it more: redis-cli CONFIG SET maxmemory ...")
    else:
        room = f" of {most / 1e6:.0f} MB" if most else ""
        yield Finding("Redis memory", f"{used / 1e6:.0f} MB{room} used; it drops nothing")
