"""Copies of sessions in Redis, so that a page need not ask PostgreSQL who is looking.

A copy lives five minutes at most and is never more than a copy: without Redis every session is read from its
row. What must not happen is that a copy outlives its session, so

- an ended session leaves a mark in its place for as long as a copy could live, and nothing is written over
  a mark: a request that read the row just before the end cannot bring it back;
- every copy bears the epoch in which it was written, and copies of another epoch are not read. A process that
  missed Redis raises the epoch before it believes Redis again, since ends may not have arrived there;
- a server that was started anew may have forgotten what it was told last, so each new connection compares
  the server's run with the one that the epoch was raised in.

What is kept is the session as its row has it, signed: who can write to Redis cannot make a session.
"""

import secrets

from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as ConnectionLost
from redis.retry import Retry

from orgs.breaker import Away, Breaker
from orgs.redis_connection import OwnConnection, run_of

LIFE = 300  # seconds
ENDED = "ended"
SECONDS = 0.15  # patience with Redis

# KEYS: the epoch, the copy. ARGV: the session, seconds to live, an epoch for when there is none.
WRITE = """
local epoch = redis.call('GET', KEYS[1])
if not epoch then
  epoch = ARGV[3]
  redis.call('SET', KEYS[1], epoch)
end
if redis.call('GET', KEYS[2]) == 'ended' then return 0 end
redis.call('SET', KEYS[2], epoch .. ' ' .. ARGV[1], 'EX', ARGV[2])
return 1
"""


class SessionCopies:
    """The copies in the Redis at `url`; `prefix` stands before every key on a server shared with others."""

    def __init__(self, url: str, *, prefix: str = "") -> None:
        self._prefix = f"{prefix}session"
        self._run = ""
        self._redis = Redis.from_url(
            url,
            decode_responses=True,
            socket_timeout=SECONDS,
            socket_connect_timeout=SECONDS,
            retry=Retry(
                NoBackoff(), 1, supported_errors=(ConnectionLost,)
            ),  # a new server behind an old socket
            redis_connect_func=self._greet,
        )
        self._own = OwnConnection(self._redis.connection_pool)
        self._write = self._redis.register_script(WRITE)
        self._breaker = Breaker("sessions", makes_good=self._raise_epoch)

    def read(self, key: str) -> str | None:
        """The session as its row has it, ENDED if it is over, or None where only the row can tell."""
        try:
            epoch, copy = self._breaker.ask(lambda: self._own.ask("MGET", self._epoch, self._name(key)))
        except Away:
            return None
        if copy is None or copy == ENDED:
            return copy
        written_in, _, session = copy.partition(" ")
        return session if written_in == epoch else None

    def write(self, key: str, session: str, *, seconds: float) -> None:
        """Keep a copy, for no longer than the session has to live; not at all if it has ended."""
        life = min(LIFE, int(seconds))
        if life < 1:
            return
        keys, values = [self._epoch, self._name(key)], [session, life, self._new_epoch()]
        try:
            self._breaker.ask(lambda: self._write(keys=keys, args=values))
        except Away:
            return  # the next who reads it asks the row

    def end(self, key: str) -> bool:
        """Whether it is certain that no copy is read from now on."""
        try:
            self._breaker.ask(lambda: self._redis.set(self._name(key), ENDED, ex=LIFE))
        except Away:
            return False
        return True

    @property
    def _epoch(self) -> str:
        return f"{self._prefix}-epoch"

    def _name(self, key: str) -> str:
        return f"{self._prefix}:{key}"

    def _new_epoch(self) -> str:
        return f"{self._run}.{secrets.token_hex(8)}"

    def _raise_epoch(self) -> None:
        self._redis.ping()  # a new connection learns the server's run
        self._redis.set(self._epoch, self._new_epoch())

    def _greet(self, connection) -> None:
        """A connection's first words: is this still the run of the server that the copies were made in?"""
        connection.on_connect()
        self._run = run_of(connection)
        connection.send_command("GET", self._epoch)
        epoch = connection.read_response()
        if not epoch or not epoch.startswith(f"{self._run}."):
            connection.send_command("SET", self._epoch, self._new_epoch())
            connection.read_response()


copies = SessionCopies(settings.SESSION_REDIS_URL, prefix=settings.REDIS_KEY_PREFIX)
