"""When each event was last compared with its seats booked, and when one was last found off: for whoever looks
on. Kept in Redis for a day; nothing is decided by it."""

from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID

from django.conf import settings

from bookings.seats_side import KEPT, SEATS

COMPARED, OFF = (f"seats:{word}:{settings.REDIS_KEY_PREFIX}" for word in ("compared", "off"))


def note(event_ids: Iterable[UUID], *, off: set[UUID], now: datetime) -> None:
    """These have been compared; of them `off` were not right.

    Raises:
        Away
    """
    at = now.timestamp()

    def tell(client):
        with client.pipeline() as pipe:
            for key, events in ((COMPARED, list(event_ids)), (OFF, list(off))):
                if events:
                    pipe.zadd(key, {str(event_id): at for event_id in events})
                pipe.zremrangebyscore(key, "-inf", at - KEPT)
            pipe.execute()

    SEATS.call(tell)


def compared_at(event_ids: list[UUID]) -> dict[UUID, datetime]:
    """When each was, of those that were.

    Raises:
        Away
    """
    if not event_ids:
        return {}
    moments = SEATS.call(lambda client: client.zmscore(COMPARED, [str(event_id) for event_id in event_ids]))
    return {
        event_id: datetime.fromtimestamp(at, UTC)
        for event_id, at in zip(event_ids, moments, strict=True)
        if at is not None
    }


def off_lately(most: int) -> list[UUID]:
    """Those that were found off last, the latest first.

    Raises:
        Away
    """
    return [UUID(member.decode()) for member in SEATS.call(lambda client: client.zrevrange(OFF, 0, most - 1))]
