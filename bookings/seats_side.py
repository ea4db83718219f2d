"""The database of Redis in which seats are counted and lines mirrored, and when all of it begins anew.

After an outage every process raises `seats:generation`, and so does whoever first meets a server started
anew: what is of an older one counts as missing. Forms that came while Redis was away have no mark there; each
process looks by itself until it finds Redis back, and makes up for its own. For `TO_COME_BACK` after the
generation was raised that may not have been done everywhere, so long `seats:doubted` is there.
"""

from pathlib import Path

from django.conf import settings
from redis import Connection, Redis

from bookings import unmarked
from orgs.redis_connection import run_of
from orgs.redis_side import RedisSide, Script

LUA = Path(__file__).parent / "lua"
KEPT = 86_400  # seconds: a counter, a line, and the mark of a form
TO_COME_BACK = 5  # seconds in which every process has found Redis back
RUN = f"seats:run:{settings.REDIS_KEY_PREFIX}"
GENERATION = f"seats:generation:{settings.REDIS_KEY_PREFIX}"
DOUBTED = f"seats:doubted:{settings.REDIS_KEY_PREFIX}"
_RUN_CHANGES = Script(LUA / "run.lua")


def _compare_runs(connection: Connection) -> None:
    """A server that was started anew may have forgotten what it was told last."""
    connection.send_command("EVAL", _RUN_CHANGES.text, 2, RUN, GENERATION, run_of(connection))
    connection.read_response()


def _make_good(client: Redis) -> None:
    """Have everything begin anew, and the forms known that came while Redis was away."""
    with client.pipeline() as pipe:
        pipe.incr(GENERATION)
        pipe.set(DOUBTED, "", ex=TO_COME_BACK)
        unmarked.make_up(pipe, seconds=KEPT)


SEATS = RedisSide("seats", makes_good=_make_good, greets=_compare_runs, looks_by_itself=True)
