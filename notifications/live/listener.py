"""Hears from Redis what has changed: one subscription for the whole process.

Redis forgets what nobody heard, so whenever the subscription is new everything watched is read again. A
connection that has gone silent is found out by asking for a sign of life.
"""

import asyncio
import json
import logging
from uuid import UUID

import redis
import redis.asyncio

from notifications.live.hub import Hub

PAUSE = 1.0  # seconds until Redis is asked again
ANSWERS_WITHIN = 2.0  # seconds
SILENCE = 10.0  # seconds without a message after which a sign of life is asked for

logger = logging.getLogger(__name__)


async def listen(hub: Hub, *, url: str, channel: str) -> None:
    """Mark in `hub` whatever is announced on `channel`, for ever."""
    while True:
        try:
            await _hear(hub, url, channel)
        except (redis.RedisError, OSError, TimeoutError) as error:
            if not hub.is_deaf:
                logger.warning("Redis is away, live updates come every few seconds only: %s", error)
            hub.is_deaf = True
        await asyncio.sleep(PAUSE)


async def _hear(hub: Hub, url: str, channel: str) -> None:
    client = redis.asyncio.Redis.from_url(url, socket_connect_timeout=ANSWERS_WITHIN, retry=None)
    async with client, client.pubsub() as subscription:
        await subscription.subscribe(channel)
        patience = ANSWERS_WITHIN
        while True:
            message = await subscription.get_message(timeout=patience)
            if message is None and patience == ANSWERS_WITHIN:
                raise TimeoutError("it has gone silent")
            patience = SILENCE
            if message is None:
                await subscription.ping()
                patience = ANSWERS_WITHIN
            elif message["type"] == "subscribe":  # anew after a cut, too
                hub.is_deaf = False
                hub.mark_all()
            elif message["type"] == "message":
                _mark(hub, message["data"])


def _mark(hub: Hub, announcement: bytes) -> None:
    try:
        changed = {name: [UUID(each) for each in ids] for name, ids in json.loads(announcement).items()}
    except (ValueError, AttributeError, TypeError):
        logger.warning("Something that is no announcement was heard: %.100r", announcement)
        return
    for name, subjects in changed.items():
        hub.mark(name, subjects)
