"""How long something takes, as people say it."""

from datetime import timedelta

SIZES = (("days", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
ENOUGH = 2  # of a unit, for it to be the one: 90 minutes rather than 1 hour


def briefly(time: timedelta | float) -> str:
    """ "45 s", "90 min", "3 days"."""
    seconds = time.total_seconds() if isinstance(time, timedelta) else time
    unit, size = next(
        ((unit, size) for unit, size in SIZES if seconds >= ENOUGH * size or seconds == size), SIZES[-1]
    )
    number = int(seconds // size)
    return f"{number:,} {'day' if (unit, number) == ('days', 1) else unit}"
