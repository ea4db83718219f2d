"""What the calendar programs of the world write, and what is made of it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from events import ical

SAMPLES = Path(__file__).parent / "calendars"
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def read(data, *, now=NOW, days=365, **options):
    data = data if isinstance(data, bytes) else data.encode()
    return ical.read(data, now=now, horizon=timedelta(days=days), **options)


def sample(name):
    return read(ical.load(SAMPLES / f"{name}.ics"))


def calendar(*entries, head=""):
    """A calendar of entries, each given by its lines without BEGIN and END."""
    parts = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:test", *head.split("\n")]
    for entry in entries:
        parts += ["BEGIN:VEVENT", *entry.strip().split("\n"), "END:VEVENT"]
    return "\r\n".join(line for line in [*parts, "END:VCALENDAR"] if line) + "\r\n"


def entry(start="DTSTART:20260401T100000Z", *more, uid="a@x", summary="Talk"):
    return "\n".join([f"UID:{uid}", f"SUMMARY:{summary}", start, *more])


def the_one(*args, head="", **options):
    found = read(calendar(*args, head=head), **options)
    assert [str(skipped) for skipped in found.skipped] == []
    [occurrence] = found.occurrences
    return occurrence


def why_skipped(*args, **options):
    found = read(calendar(*args), **options)
    [skipped] = found.skipped
    return str(skipped)


def starts(reading):
    return [f"{one.event_date:%m-%d %H:%M}" for one in reading.occurrences]


class TestGoogle:
    def test_follows_a_weekly_series_through_the_change_to_summer_time_and_a_moved_week(self):
        workshops = [one for one in sample("google").occurrences if "workshop" in one.title]
        assert [f"{one.event_date:%m-%d %H:%M}" for one in workshops] == [
            "03-17 17:00",
            "03-24 17:00",
            "03-31 16:00",
            "04-15 17:00",
            "04-21 16:00",
        ]
        assert workshops[3].title == "Screen printing workshop (moved)"
        assert workshops[3].identity == "2k6h1t8v0q3r9s7u5w4x@google.com/20260414T160000Z"

    def test_names_the_week_that_is_left_out(self):
        assert sample("google").withdrawn == {"2k6h1t8v0q3r9s7u5w4x@google.com/20260407T160000Z"}

    def test_turns_a_description_in_html_into_plain_text_with_its_links(self):
        assert sample("google").occurrences[0].description == (
            "Bring a shirt and something to print.\n\n- Inks are here\n- Aprons too\n"
            "Details: on our page (https://linde.example/screen-printing?from=ics&x=1)\n"
            "See you & bring a friend!"
        )

    def test_shows_moments_in_utc_on_the_calendars_own_clock(self):
        concert = next(one for one in sample("google").occurrences if "quartet" in one.title)
        assert concert.event_date == datetime(2026, 3, 20, 19, tzinfo=UTC)
        assert concert.time_zone == "Europe/Berlin"
        assert concert.online_url == "https://meet.google.com/abc-defg-hij"

    def test_begins_whole_days_at_midnight_of_the_calendars_place_and_ends_them_exclusively(self):
        market = next(one for one in sample("google").occurrences if one.title == "Flea market")
        assert market.event_date == datetime(2026, 4, 30, 22, tzinfo=UTC)
        assert market.ends_at == datetime(2026, 5, 2, 22, tzinfo=UTC)

    def test_marks_a_cancelled_entry(self):
        assert [one.title for one in sample("google").occurrences if one.is_cancelled] == [
            "Talk that will not be"
        ]


class TestOutlook:
    def test_knows_the_zones_of_windows(self):
        webinar = sample("outlook").occurrences[0]
        assert webinar.event_date == datetime(2026, 3, 10, 14, tzinfo=UTC)
        assert webinar.time_zone == "Europe/Berlin"

    def test_computes_with_a_zone_that_the_calendar_defines_and_keeps_the_nearest_name(self):
        found = sample("outlook")
        rounds = [one for one in found.occurrences if one.title == "Partner round"]
        assert [f"{one.event_date:%m-%d %H:%M}" for one in rounds] == [
            "03-12 14:00",
            "03-26 14:00",
            "04-09 14:00",
        ]
        assert {one.time_zone for one in rounds} == {"America/New_York"}
        assert found.notes == [
            "The calendar's own time zone “Customized Time Zone” is kept as America/New_York."
        ]

    def test_reads_the_html_where_there_is_no_plain_description(self):
        private = next(one for one in sample("outlook").occurrences if one.is_private)
        assert private.description == "For partners only.\nBring numbers."

    def test_takes_category_and_address_from_where_outlook_puts_them(self):
        webinar = sample("outlook").occurrences[0]
        assert webinar.category == "webinar"
        assert webinar.online_url == "https://teams.example/l/meetup-join/19%3ameeting"

    def test_names_the_entry_whose_zone_does_not_exist_and_reads_the_rest(self):
        found = sample("outlook")
        assert [str(skipped) for skipped in found.skipped] == [
            "“Call with the rover” (20260404T110000, line 95): there is no time zone “Mars Standard Time”"
        ]
        assert len(found.occurrences) == 5


class TestApple:
    def test_puts_an_address_of_several_lines_on_one(self):
        group = sample("apple").occurrences[0]
        assert group.place == "The Annex, 500 Howard St, San Francisco CA 94105, United States"
        assert group.category == "meetup"

    def test_cancels_one_evening_of_a_monthly_series(self):
        evenings = [one for one in sample("apple").occurrences if one.title == "Swift user group"]
        assert [one.is_cancelled for one in evenings] == [False, True, False, False]

    def test_places_a_floating_time_in_the_calendars_zone(self):
        breakfast = next(one for one in sample("apple").occurrences if "Breakfast" in one.title)
        assert breakfast.event_date == datetime(2026, 4, 10, 16, tzinfo=UTC)
        assert breakfast.ends_at == datetime(2026, 4, 10, 17, 30, tzinfo=UTC)

    def test_calls_an_entry_without_a_title_untitled_and_leaves_its_end_open(self):
        nameless = sample("apple").occurrences[-1]
        assert (nameless.title, nameless.ends_at) == ("Untitled", None)


class TestNextcloud:
    def test_reads_bare_line_feeds_and_single_added_dates(self):
        found = sample("nextcloud")
        assert starts(found) == ["03-07 04:30", "03-10 13:30", "03-24 13:30", "04-07 13:30"]

    def test_keeps_a_link_to_join_out_of_the_place_that_everybody_reads(self):
        hackathon = sample("nextcloud").occurrences[0]
        assert (hackathon.place, hackathon.online_url) == ("Online", "https://meet.hackspace.example/room/42")

    def test_leaves_tasks_alone(self):
        assert "Buy solder" not in {one.title for one in sample("nextcloud").occurrences}


class TestTimes:
    def test_prefers_what_the_calendar_says_of_its_zone_over_the_option(self):
        floating = entry("DTSTART:20260401T100000")
        assert the_one(floating, time_zone="Asia/Tokyo").time_zone == "Asia/Tokyo"
        head = "X-WR-TIMEZONE:Europe/London"
        assert the_one(floating, head=head, time_zone="Asia/Tokyo").time_zone == "Europe/London"

    def test_takes_utc_where_nobody_says_anything(self):
        assert the_one(entry("DTSTART:20260401T100000")).time_zone == "UTC"

    @pytest.mark.parametrize(
        ("name", "zone"),
        [
            ("/freeassociation.sourceforge.net/Europe/Vienna", "Europe/Vienna"),
            ("/softwarestudio.org/Olson_20011030_5/America/Argentina/Salta", "America/Argentina/Salta"),
            ("Pacific Standard Time", "America/Los_Angeles"),
            ("europe/paris", "Europe/Paris"),
            ("tzone://Microsoft/Utc", "UTC"),
            ("GMT+0300", "Etc/GMT-3"),
        ],
    )
    def test_finds_the_zone_behind_the_name(self, name, zone):
        assert the_one(entry(f'DTSTART;TZID="{name}":20260401T100000')).time_zone == zone

    def test_counts_a_duration_by_the_clock_of_the_place(self):
        night = entry("DTSTART;TZID=Europe/Berlin:20260328T220000", "DURATION:PT8H")
        assert the_one(night).ends_at == datetime(2026, 3, 29, 5, tzinfo=UTC)

    def test_lets_a_day_without_an_end_last_a_day(self):
        day = the_one(entry("DTSTART;VALUE=DATE:20260401"))
        assert day.ends_at - day.event_date == timedelta(days=1)

    def test_leaves_the_end_open_where_it_is_the_start(self):
        assert the_one(entry("DTSTART:20260401T100000Z", "DTEND:20260401T100000Z")).ends_at is None

    @pytest.mark.parametrize(
        ("lines", "why"),
        [
            (["DTSTART:20260401T100000Z", "DTEND:20260401T090000Z"], "it ends before it starts"),
            (["DTSTART:20260401T100000Z", "DURATION:-PT1H"], "it ends before it starts"),
            (["DTSTART:20260401T100000Z", "DURATION:soon"], "is no length of time"),
            (["DTSTART;VALUE=DATE:20260401", "DTEND:20260401T090000Z"], "begins on a day and ends at a time"),
            (["DTSTART:tomorrow"], "its DTSTART “tomorrow” is no time"),
            (["DTSTART:20260230T100000Z"], "is no time"),
            (["DTSTART:00010101T000000Z"], "it is in the year 1"),
            (["DTSTART:99991231T235959Z"], "it is in the year 9999"),
            (["DTSTART:20260401T100000Z", "DURATION:P999999999D"], "is no length of time"),
        ],
    )
    def test_names_an_entry_whose_times_make_no_sense(self, lines, why):
        assert why in why_skipped(entry(*lines))

    def test_names_an_entry_without_a_start(self):
        assert why_skipped("UID:a\nSUMMARY:When?") == "“When?” (line 4): it has no start"

    def test_names_an_entry_that_could_not_be_found_again(self):
        assert "it has no UID" in why_skipped("SUMMARY:Who?\nDTSTART:20260401T100000Z")


class TestSeries:
    def test_ends_with_the_day_that_until_names(self):
        weekly = entry("DTSTART;TZID=Europe/Berlin:20260401T190000", "RRULE:FREQ=WEEKLY;UNTIL=20260415")
        assert starts(read(calendar(weekly))) == ["04-01 17:00", "04-08 17:00", "04-15 17:00"]

    def test_has_whole_days_too(self):
        daily = entry("DTSTART;VALUE=DATE:20260401", "RRULE:FREQ=DAILY;COUNT=2")
        found = read(calendar(daily), time_zone="Asia/Tokyo")
        assert starts(found) == ["03-31 15:00", "04-01 15:00"]
        assert [one.identity for one in found.occurrences] == ["a@x/20260401", "a@x/20260402"]

    def test_goes_no_further_than_the_horizon(self):
        endless = entry("DTSTART:20260401T100000Z", "RRULE:FREQ=DAILY")
        assert len(read(calendar(endless), days=40).occurrences) == 9

    def test_begins_with_what_is_still_to_come(self):
        old = entry("DTSTART:20200101T100000Z", "DTEND:20200101T110000Z", "RRULE:FREQ=MONTHLY")
        assert starts(read(calendar(old), days=40)) == ["03-01 10:00", "04-01 10:00"]

    def test_moves_all_later_times_with_one_that_says_so(self):
        weekly = entry("DTSTART:20260401T100000Z", "DTEND:20260401T110000Z", "RRULE:FREQ=WEEKLY;COUNT=4")
        later = entry(
            "RECURRENCE-ID;RANGE=THISANDFUTURE:20260415T100000Z",
            "DTSTART:20260415T120000Z",
            "DTEND:20260415T130000Z",
        )
        found = read(calendar(weekly, later))
        assert starts(found) == ["04-01 10:00", "04-08 10:00", "04-15 12:00", "04-22 12:00"]
        assert found.occurrences[3].identity == "a@x/20260422T100000Z"

    def test_leaves_out_a_day_that_is_named_without_a_time(self):
        weekly = entry(
            "DTSTART;TZID=Europe/Berlin:20260401T190000",
            "RRULE:FREQ=WEEKLY;COUNT=2",
            "EXDATE;VALUE=DATE:20260408",
        )
        found = read(calendar(weekly))
        assert starts(found) == ["04-01 17:00"]
        assert found.withdrawn == {"a@x/20260408T170000Z"}

    def test_keeps_one_time_of_a_series_whose_rest_is_not_in_the_file(self):
        invited = entry("RECURRENCE-ID:20260402T100000Z", "DTSTART:20260402T110000Z")
        assert the_one(invited).identity == "a@x/20260402T100000Z"

    def test_cancels_everything_in_a_file_that_calls_it_off(self):
        found = read(calendar(entry(), head="METHOD:CANCEL"))
        assert [one.is_cancelled for one in found.occurrences] == [True]

    def test_names_an_entry_that_stands_there_twice(self):
        twice = calendar(entry()) + calendar(entry(summary="Copy"))
        found = read(twice)
        assert [one.title for one in found.occurrences] == ["Talk"]
        assert "it stands in line 4 already" in str(found.skipped[0])


class TestTexts:
    @pytest.mark.parametrize(
        "text",
        [
            "<script>alert(1)</script>Hello",
            "Hello<img src=x onerror=alert(1)>",
            "&lt;script&gt;alert(1)&lt;/script&gt;<b>Hello</b>",
            "<a href='javascript:alert(1)'>Hello</a>",
            "<svg><script>alert(1)</script></svg>Hello",
            "Hello<!-- <b> -->",
            "<style>p { color: red }</style>Hello",
        ],
    )
    def test_leave_no_markup_standing(self, text):
        description = the_one(entry("DTSTART:20260401T100000Z", f"DESCRIPTION:{text}")).description
        assert description == "Hello"

    def test_keep_what_only_looks_like_markup(self):
        description = "If a < b and c > d\\, write to <ada@acme.test> or see <https://acme.test/>."
        found = the_one(entry("DTSTART:20260401T100000Z", f"DESCRIPTION:{description}"))
        assert found.description == description.replace("\\", "")

    def test_lose_control_characters_and_turned_directions(self):
        found = the_one(entry(summary="Ta\x00lk\x07 \u202eevil\u202c"))
        assert found.title == "Ta lk evil"

    def test_cut_a_title_that_is_too_long(self):
        title = the_one(entry(summary="x" * 5000)).title
        assert (len(title), title[-1]) == (200, "…")

    @pytest.mark.parametrize(
        "url",
        [
            "javascript:alert(1)",
            "data:text/html,x",
            "https://",
            "http://a b",
            "ftp://x.test",
            "https://u:p@x",
        ],
    )
    def test_take_no_address_that_is_not_of_the_web(self, url):
        assert the_one(entry("DTSTART:20260401T100000Z", f"URL:{url}")).online_url is None

    def test_undo_folding_in_the_middle_of_a_character(self):
        data = calendar(entry(summary="Kältetechnik")).encode().replace(b"K\xc3\xa4", b"K\xc3\r\n \xa4")
        assert read(data).occurrences[0].title == "Kältetechnik"

    def test_understand_a_byte_order_mark_and_utf_16(self):
        text = calendar(entry(summary="Grüße"))
        assert read(b"\xef\xbb\xbf" + text.encode()).occurrences[0].title == "Grüße"
        assert read(text.encode("utf-16")).occurrences[0].title == "Grüße"

    @pytest.mark.parametrize(
        ("labels", "category"),
        [("Konzerte,Concerts", "concert"), ("Red category,Meetups", "meetup"), ("Family", "other")],
    )
    def test_find_the_category_by_its_words(self, labels, category):
        assert the_one(entry("DTSTART:20260401T100000Z", f"CATEGORIES:{labels}")).category == category
