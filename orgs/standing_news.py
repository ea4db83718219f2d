"""Says that what somebody may do is not what it was, or who may see an event, so that what is open of it is
looked at again.

Live streams (`notifications.live`) stay open for minutes; they hear of it through Redis, after the commit.
While Redis is away nobody is told, and a stream finds it out by itself, within a minute.
"""

import json
from functools import partial
from uuid import UUID

from django.conf import settings
from django.db import transaction

from orgs.breaker import Away
from orgs.redis_side import RedisSide

STANDING = "standing"  # what is announced, beside what the live door announces
_redis = RedisSide("live")


def changed(*subjects: UUID) -> None:
    """These people's rights or sessions, or who may see these events, have changed; where a transaction is
    open, with that."""
    if subjects:
        transaction.on_commit(partial(_tell, subjects), robust=True)


def _tell(subjects: tuple[UUID, ...]) -> None:
    news = json.dumps({STANDING: [str(subject) for subject in subjects]})
    try:
        _redis.call(lambda client: client.publish(settings.LIVE_CHANNEL, news))
    except Away:
        return  # whoever holds a stream of theirs asks again by itself
