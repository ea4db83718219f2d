"""Files that are broken, or made to do harm: one clear line, and no more work than is bounded."""

import os
import tracemalloc

import pytest

from events import ical
from events.ical import blocks, reading, source
from events.tests.test_ical import calendar, entry, read, why_skipped


def why_refused(data, **options):
    with pytest.raises(ical.CalendarUnreadable) as refusal:
        read(data, **options)
    message = str(refusal.value)
    assert "\n" not in message
    assert len(message) < 300
    return message


class TestFile:
    def why_not_loaded(self, path):
        with pytest.raises(ical.CalendarUnreadable) as refusal:
            ical.load(str(path))
        return str(refusal.value)

    def test_that_is_missing(self, tmp_path):
        assert "there is no such file" in self.why_not_loaded(tmp_path / "none.ics")

    def test_that_is_a_directory(self, tmp_path):
        assert "is a directory" in self.why_not_loaded(tmp_path)

    def test_that_is_a_pipe_nobody_writes_to(self, tmp_path):
        os.mkfifo(tmp_path / "pipe")
        assert "is no plain file" in self.why_not_loaded(tmp_path / "pipe")

    @pytest.mark.parametrize("content", [b"", b" \r\n\r\n"])
    def test_that_is_empty(self, tmp_path, content):
        (tmp_path / "empty.ics").write_bytes(content)
        assert "is empty" in self.why_not_loaded(tmp_path / "empty.ics")

    def test_that_is_too_large(self, tmp_path, monkeypatch):
        monkeypatch.setattr(source, "LARGEST", 1024**2)
        with open(tmp_path / "large.ics", "wb") as file:
            file.write(b"BEGIN:VCALENDAR")
            file.truncate(1024**2 + 1)
        assert "is larger than 1 MB" in self.why_not_loaded(tmp_path / "large.ics")

    def test_whose_name_is_no_name(self):
        assert "cannot be opened" in self.why_not_loaded("a\x00b")

    def test_that_a_link_leads_to_is_read(self, tmp_path):
        (tmp_path / "real.ics").write_text(calendar(entry()))
        (tmp_path / "link.ics").symlink_to(tmp_path / "real.ics")
        assert ical.load(str(tmp_path / "link.ics")).startswith(b"BEGIN:VCALENDAR")


class TestContent:
    @pytest.mark.parametrize("data", [b"\x89PNG\r\n\x1a\n\x00\x00", b"<html></html>", bytes(range(256)) * 10])
    def test_that_is_no_calendar(self, data):
        assert "not an iCalendar file" in why_refused(data)

    def test_in_another_encoding_is_named_with_its_line(self):
        latin = calendar(entry(summary="Grüße")).encode("latin-1")
        assert "Line 6 is not UTF-8 text (byte 0xFC)" in why_refused(latin)

    @pytest.mark.parametrize("kept", [0.3, 0.7, 0.95])
    def test_that_is_cut_off(self, kept):
        whole = calendar(entry(), entry(uid="b"), entry(uid="c"))
        assert "cut off" in why_refused(whole[: int(len(whole) * kept)])

    def test_that_begins_a_calendar_within_a_calendar(self):
        assert "calendar within a calendar" in why_refused("BEGIN:VCALENDAR\n" * 1000)

    def test_that_is_nested_without_end(self):
        deep = "BEGIN:VEVENT\n" + "BEGIN:VALARM\n" * 100_000
        assert "nested deeper" in why_refused(calendar(deep))

    def test_with_too_many_entries(self, monkeypatch):
        monkeypatch.setattr(blocks, "MOST_ENTRIES", 10)
        assert "more than 10 entries" in why_refused(calendar(*[entry(uid=f"{n}") for n in range(11)]))

    def test_that_makes_too_many_events(self, monkeypatch):
        monkeypatch.setattr(reading, "MOST_EVENTS", 10)
        endless = entry("DTSTART:20260401T100000Z", "RRULE:FREQ=DAILY")
        assert "makes more than 10 events" in why_refused(calendar(endless))

    def test_that_takes_too_long(self, monkeypatch):
        monkeypatch.setattr(reading, "PATIENCE", -1)
        assert "takes longer than" in why_refused(calendar(entry()))

    def test_of_another_calendars_days(self):
        assert "counts days in another way" in why_refused(calendar(entry(), head="CALSCALE:HEBREW"))

    def test_with_a_zone_option_that_does_not_exist(self):
        assert "no time zone “Atlantis”" in why_refused(calendar(entry()), time_zone="Atlantis")

    def test_with_one_entry_that_never_ends_loses_that_entry_only(self):
        data = calendar(
            entry(summary="Whole"), entry(uid="b", summary="Torn"), entry(uid="c", summary="Fine")
        )
        data = data.replace("SUMMARY:Torn\r\nDTSTART:20260401T100000Z\r\nEND:VEVENT", "SUMMARY:Torn")
        found = read(data)
        assert [one.title for one in found.occurrences] == ["Whole", "Fine"]
        assert [str(skipped) for skipped in found.skipped] == ["“Torn” (line 9): its END is missing"]

    def test_with_lines_that_are_no_lines_is_read_around_them(self):
        assert read(calendar("garbage\n;;;\n:::\nX\n" + entry())).occurrences


class TestRepetition:
    @pytest.mark.parametrize(
        ("rule", "why"),
        [
            ("FREQ=SECONDLY", "more often than once an hour"),
            ("FREQ=MINUTELY;COUNT=1000000000", "more often than once an hour"),
            ("FREQ=DAILY;BYHOUR=1,2,3;BYMINUTE=1,2,3,4,5,6,7,8,9", "more often than once an hour"),
            ("FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30", "on certain days only"),
            ("FREQ=DAILY;INTERVAL=0", "makes no sense"),
            ("FREQ=DAILY;COUNT=0", "makes no sense"),
            ("FREQ=SOMETIMES", "makes no sense"),
            ("COUNT=3", "makes no sense"),
            ("FREQ=DAILY;BYMONTHDAY=99", "makes no sense"),
            ("FREQ=YEARLY;BYYEARDAY=" + ",".join(["1"] * 5000), "too long"),
        ],
    )
    def test_that_makes_no_sense_or_too_many_events_is_named(self, rule, why):
        assert why in why_skipped(entry("DTSTART:20260401T100000Z", f"RRULE:{rule}"))

    def test_since_long_ago_is_named_rather_than_counted(self):
        hourly = entry("DTSTART:19000101T000000Z", "RRULE:FREQ=HOURLY")
        assert "since the year 1900" in why_skipped(hourly)

    def test_beyond_a_thousand_times_is_cut_and_named(self):
        hourly = entry("DTSTART:20260401T100000Z", "RRULE:FREQ=HOURLY;COUNT=1000000000")
        found = read(calendar(hourly))
        assert len(found.occurrences) == 1000
        assert "the first 1,000 are taken" in found.notes[0]

    def test_by_thousands_of_single_dates_is_cut_and_named(self):
        dates = ",".join(
            f"2026{m:02}{d:02}T{h:02}0000Z" for m in range(4, 12) for d in range(1, 29) for h in range(24)
        )
        found = read(calendar(entry("DTSTART:20260401T100000Z", f"RDATE:{dates}")))
        assert len(found.occurrences) == 1000

    def test_on_a_day_that_never_comes_makes_nothing_else(self):
        never = entry("DTSTART:20260401T100000Z", "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30")
        assert len(read(calendar(never)).occurrences) <= 1

    def test_left_out_by_a_rule_is_refused_rather_than_ignored(self):
        lines = ["DTSTART:20260401T100000Z", "RRULE:FREQ=DAILY;COUNT=3", "EXRULE:FREQ=WEEKLY"]
        assert "EXRULE" in why_skipped(entry(*lines))


class TestZone:
    @pytest.mark.parametrize(
        "rule",
        [
            "RRULE:FREQ=SECONDLY",
            "RRULE:FREQ=YEARLY;INTERVAL=0",
            "RRULE:FREQ=YEARLY;BYHOUR=1,2,3",
            "TZOFFSETTO:x",
        ],
    )
    def test_that_is_defined_to_do_harm_is_not_used(self, rule):
        zone = [
            "BEGIN:VTIMEZONE\nTZID:Trap\nBEGIN:STANDARD\nDTSTART:16010101T000000",
            f"TZOFFSETFROM:+0100\nTZOFFSETTO:+0100\n{rule}\nEND:STANDARD\nEND:VTIMEZONE",
        ]
        found = read(calendar(entry("DTSTART;TZID=Trap:20260401T100000"), head="\n".join(zone)))
        assert "the definition of the time zone “Trap” cannot be used" in str(found.skipped[0])

    def test_like_no_other_keeps_its_moments_in_utc(self):
        zone = (
            "BEGIN:VTIMEZONE\nTZID:Ship\nBEGIN:STANDARD\nDTSTART:16010101T000000\n"
            "TZOFFSETFROM:+0017\nTZOFFSETTO:+0017\nEND:STANDARD\nEND:VTIMEZONE"
        )
        found = read(calendar(entry("DTSTART;TZID=Ship:20260401T100000"), head=zone))
        [occurrence] = found.occurrences
        assert (f"{occurrence.event_date:%H:%M}", occurrence.time_zone) == ("09:43", "UTC")
        assert "its times are in UTC" in found.notes[0]

    @pytest.mark.parametrize("name", ["../../../etc/passwd", "/etc/passwd", "posixrules/../x", "a" * 10_000])
    def test_named_like_a_path_is_only_a_name(self, name):
        assert "there is no time zone" in why_skipped(entry(f"DTSTART;TZID={name}:20260401T100000"))


class TestCost:
    def test_stays_bounded_for_a_large_file_of_attachments(self):
        attachment = "ATTACH;ENCODING=BASE64;VALUE=BINARY:" + "A" * 1_000_000
        data = calendar(*[entry("DTSTART:20260401T100000Z", attachment, uid=f"{n}") for n in range(8)])
        tracemalloc.start()
        try:
            assert len(read(data).occurrences) == 8
            assert tracemalloc.get_traced_memory()[1] < 60 * 1024**2
        finally:
            tracemalloc.stop()

    def test_stays_bounded_for_texts_made_of_tags(self):
        text = "<a href=x>" * 100_000 + "&lt;" * 100_000
        found = read(calendar(entry("DTSTART:20260401T100000Z", f"DESCRIPTION:{text}")))
        assert len(found.occurrences) == 1
