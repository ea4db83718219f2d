"""So many hours before: days of the calendar, hours that pass, and clocks that change in between."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings.reminder_moment import reminder_moment


def moment(starts: str, zone: str, hours: int, *, fold: int = 0) -> str:
    """As the clock there shows it, with its offset."""
    tzinfo = ZoneInfo(zone)
    starts_at = datetime.fromisoformat(starts).replace(tzinfo=tzinfo, fold=fold).astimezone(UTC)
    return reminder_moment(starts_at=starts_at, zone=tzinfo, hours=hours).astimezone(tzinfo).isoformat(" ")


class TestWholeDays:
    @pytest.mark.parametrize(
        ("starts", "zone", "hours", "expected"),
        [
            # the clock goes forward on 29 March 2026 at 02:00, back on 25 October 2026 at 03:00
            ("2026-03-29 19:00", "Europe/Berlin", 24, "2026-03-28 19:00:00+01:00"),  # 23 hours before
            ("2026-03-30 19:00", "Europe/Berlin", 24, "2026-03-29 19:00:00+02:00"),
            ("2026-10-25 19:00", "Europe/Berlin", 24, "2026-10-24 19:00:00+02:00"),  # 25 hours before
            ("2026-04-04 19:00", "Europe/Berlin", 168, "2026-03-28 19:00:00+01:00"),
            ("2026-11-08 09:30", "America/New_York", 336, "2026-10-25 09:30:00-04:00"),
            ("2026-06-01 18:45", "Asia/Kolkata", 48, "2026-05-30 18:45:00+05:30"),
            ("2026-06-01 00:15", "Asia/Kathmandu", 24, "2026-05-31 00:15:00+05:45"),
            ("2026-04-05 10:00", "Australia/Lord_Howe", 24, "2026-04-04 10:00:00+11:00"),  # half an hour
        ],
    )
    def test_keep_the_time_of_day(self, starts, zone, hours, expected):
        assert moment(starts, zone, hours) == expected

    def test_take_the_later_moment_of_a_time_that_this_day_does_not_have(self):
        assert moment("2026-03-30 02:30", "Europe/Berlin", 24) == "2026-03-29 03:30:00+02:00"

    def test_take_the_later_moment_of_a_time_that_this_day_has_twice(self):
        assert moment("2026-10-26 02:30", "Europe/Berlin", 24) == "2026-10-25 02:30:00+01:00"

    @pytest.mark.parametrize("fold", [0, 1])
    def test_begin_from_either_moment_of_a_start_that_is_there_twice(self, fold):
        expected = "2026-10-24 02:30:00+02:00"
        assert moment("2026-10-25 02:30", "Europe/Berlin", 24, fold=fold) == expected

    def test_cross_a_day_that_was_left_out(self):
        """Samoa had no 30 December 2011: a day before the 31st is not before it at all."""
        assert moment("2011-12-31 10:00", "Pacific/Apia", 24) == "2011-12-31 10:00:00+14:00"
        assert moment("2011-12-31 10:00", "Pacific/Apia", 48) == "2011-12-29 10:00:00-10:00"


class TestOtherHours:
    @pytest.mark.parametrize(
        ("starts", "zone", "hours", "expected"),
        [
            ("2026-03-29 04:00", "Europe/Berlin", 3, "2026-03-29 00:00:00+01:00"),
            ("2026-10-25 04:00", "Europe/Berlin", 3, "2026-10-25 02:00:00+02:00"),
            ("2026-03-29 19:00", "Europe/Berlin", 25, "2026-03-28 17:00:00+01:00"),
            ("2026-06-01 10:00", "Asia/Kolkata", 2, "2026-06-01 08:00:00+05:30"),
        ],
    )
    def test_pass(self, starts, zone, hours, expected):
        assert moment(starts, zone, hours) == expected


@given(
    starts_at=st.datetimes(datetime(2020, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC)),
    zone=st.sampled_from(["Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Africa/Cairo", "UTC"]),
    hours=st.integers(1, 336),
)
def test_is_never_more_than_an_hour_from_the_hours_that_pass(starts_at, zone, hours):
    found = reminder_moment(starts_at=starts_at, zone=ZoneInfo(zone), hours=hours)
    assert abs(starts_at - found - timedelta(hours=hours)) <= timedelta(hours=1 if hours % 24 == 0 else 0)
