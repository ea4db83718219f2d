"""Which recurrence rules may be expanded, and what their UNTIL means.

A rule is a small program: "every second", "each 30 February" or "every 0 days" would keep a machine busy
for ever. Those that cost more than a bounded number of steps are refused before anything is expanded.
"""

from datetime import UTC, date, datetime, time

from icalendar.prop import vRecur

from events.ical.errors import EntryRefused

SECONDS = {
    "SECONDLY": 1,
    "MINUTELY": 60,
    "HOURLY": 3600,
    "DAILY": 86_400,
    "WEEKLY": 7 * 86_400,
    "MONTHLY": 28 * 86_400,
    "YEARLY": 365 * 86_400,
}
OFTEN = 3600  # no more often than once an hour, in seconds
MOST_TIMES_A_DAY = 24
MOST_STEPS = 100_000
MOST_VALUES = 400  # of one BY... part: there are 366 days of the year
HIGHEST = {"BYMONTH": 12, "BYMONTHDAY": 31, "BYYEARDAY": 366, "BYWEEKNO": 53, "BYSETPOS": 366}
DAY_PARTS = ("BYDAY", *HIGHEST)


def checked(rule: vRecur, *, start: date, until: datetime) -> vRecur:
    """`rule`, with its UNTIL made to match `start`; `until` is where looking ahead ends.

    Raises:
        EntryRefused: it cannot be understood, or not within the bounds.
    """
    frequency = str(_only(rule, "FREQ", default="")).upper()
    interval, count = _only(rule, "INTERVAL", default=1), _only(rule, "COUNT", default=1)
    if frequency not in SECONDS or interval < 1 or count < 1 or _has_days_that_are_none(rule):
        raise EntryRefused(f"its rule of repetition makes no sense ({rule.to_ical().decode()[:80]})")
    step = SECONDS[frequency] * interval
    if step < OFTEN or _times_a_day(rule) > MOST_TIMES_A_DAY:
        raise EntryRefused("it repeats more often than once an hour")
    if step < 86_400 and any(part in rule for part in DAY_PARTS):
        raise EntryRefused("it repeats by the hour on certain days only, which cannot be expanded")
    if any(len(rule.get(part, [])) > MOST_VALUES for part in rule):
        raise EntryRefused("its rule of repetition is too long")
    begun = datetime(start.year, start.month, start.day, tzinfo=UTC)
    if (until - begun).total_seconds() / step > MOST_STEPS:
        raise EntryRefused(f"it has been repeating since the year {start.year}, too often to count")
    return _with_fitting_until(rule, start)


def _only(rule: vRecur, part: str, *, default):
    values = rule.get(part, [default])
    return values[0] if isinstance(values, list) else values


def _has_days_that_are_none(rule: vRecur) -> bool:
    return any(
        not 1 <= abs(int(value)) <= most for part, most in HIGHEST.items() for value in rule.get(part, [])
    )


def _times_a_day(rule: vRecur) -> int:
    times = 1
    for part in ("BYHOUR", "BYMINUTE", "BYSECOND"):
        times *= max(len(rule.get(part, [])), 1)
    return times


def _with_fitting_until(rule: vRecur, start: date) -> vRecur:
    """UNTIL as a date for days, in UTC for moments: programs mix them, and the last time would be lost."""
    last = _only(rule, "UNTIL", default=None)
    if last is None:
        return rule
    fitting = vRecur(rule)
    if not isinstance(start, datetime):
        fitting["UNTIL"] = [last.date() if isinstance(last, datetime) else last]
    elif start.tzinfo is not None:
        if not isinstance(last, datetime):
            last = datetime.combine(last, time(23, 59, 59))
        fitting["UNTIL"] = [(last if last.tzinfo else last.replace(tzinfo=start.tzinfo)).astimezone(UTC)]
    return fitting
