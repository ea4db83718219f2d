"""Mail and calendar entries, compared with what was read and found good: the files in `letters/`.

Where words change on purpose, delete the file and run the test twice: the first run writes it anew.
"""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path
from uuid import UUID

import pytest
from icalendar import Calendar

from notifications import mail
from notifications.models import Notification
from notifications.taking import Taken
from notifications.tests.conftest import PAYLOAD

LETTERS = Path(__file__).with_name("letters")
BOOKING, EVENT = UUID(int=0xB00C), UUID(int=0xE7E7)


@pytest.fixture(autouse=True)
def _site(settings):
    settings.SITE_URL = "https://happening.example"
    settings.DEFAULT_FROM_EMAIL = "Happening <hello@happening.example>"


def taken(kind: str, *, name="Ada Lovelace", profile=None, organization="Acme", **payload) -> Taken:
    row = Notification(
        id=UUID(int=0xDADA),
        user_id=UUID(int=1),
        type=kind,
        payload={key: fact for key, fact in {**PAYLOAD, **payload}.items() if fact is not None},
        created_at=datetime(2030, 6, 1, 12, tzinfo=UTC),
        event_id=EVENT,
        booking_id=BOOKING,
    )
    return Taken(row, "ada@example.test", name, "active", profile or {}, organization, None)


def travelling(letter):
    """The mail as it travels, read by somebody else's program."""
    return message_from_bytes(letter.message().as_bytes(), policy=policy.default)


def parts(letter) -> dict:
    """Its parts, by content type."""
    return {part.get_content_type(): part for part in travelling(letter).walk() if not part.is_multipart()}


def is_as_read(name: str, text: str) -> bool:
    path = LETTERS / name
    if not path.exists():
        path.write_text(text, newline="")
        pytest.fail(f"{name} was written. Read it, and run the test again.")
    with path.open(newline="") as file:
        return file.read() == text


CASES = {
    "booking_confirmed": {},
    "booking_confirmed_changed": {"change": {"seats": [3, 2]}, "booking_version": 2},
    "booking_waitlisted": {"waiting_number": 7, "seat_labels": None},
    "booking_cancelled": {"reason": "person", "booking_version": 2},
    "booking_cancelled_not_promoted": {"reason": "not_promoted", "waits": True, "seat_labels": None},
    "waitlist_promoted": {"booking_version": 2, "online_url": "https://meet.example/room"},
    "event_updated": {"sequence": 1, "place": "Old brewery", "change": {"was": {"place": "Town hall"}}},
    "event_updated_waiting": {"sequence": 1, "waits": True, "seat_labels": None},
    "event_cancelled": {"sequence": 2, "booking_version": 2, "reason": "The hall is flooded."},
    "event_reminder": {"hours": 24},
}


def kind_of(case: str) -> str:
    return next(kind for kind in Notification.Type.values if case.startswith(kind))


class TestCompose:
    @pytest.mark.parametrize("case", CASES)
    def test_has_words_of_its_own_for_each_thing(self, case, monkeypatch):
        monkeypatch.setattr("notifications.preferences.signing.dumps", lambda *_, **__: "token")
        letter = mail.compose(taken(kind_of(case), **CASES[case]))
        assert is_as_read(f"{case}.txt", f"Subject: {letter.subject}\n\n{letter.body}")

    @pytest.mark.parametrize("case", CASES)
    def test_says_the_same_as_html(self, case):
        letter = mail.compose(taken(kind_of(case), title="Rock & <b>Roll</b>", **CASES[case]))
        html = letter.alternatives[0].content
        assert "Rock &amp; &lt;b&gt;Roll&lt;/b&gt;" in html
        assert "Hello Ada Lovelace," in html
        assert f'href="https://happening.example/bookings/{BOOKING}/"' in html

    def test_goes_to_one_person_with_an_id_that_stays(self):
        letter = mail.compose(taken("booking_confirmed"))
        assert letter.recipients() == ["ada@example.test"]
        assert travelling(letter)["Message-ID"] == f"<notification-{UUID(int=0xDADA)}@happening.example>"

    def test_gives_the_time_on_the_reader_s_own_clock_where_it_differs(self):
        tokyo = mail.compose(taken("booking_confirmed", profile={"time_zone": "Asia/Tokyo"})).body
        assert "When: Friday, 14 June 2030, 19:00 (Berlin time)" in tokyo
        assert "For you: Saturday, 15 June 2030, 02:00 (Tokyo time)" in tokyo
        for zone in ("Europe/Paris", "Europe/Berlin", "Mars/Olympus", None):
            letter = mail.compose(taken("booking_confirmed", profile={"time_zone": zone}))
            assert "For you" not in letter.body

    def test_keeps_line_breaks_out_of_headers(self):
        letter = mail.compose(taken("booking_confirmed", title="A night\r\nBcc: all@example.test\x00!"))
        assert letter.subject == "You are going to A night Bcc: all@example.test !"
        assert travelling(letter)["Bcc"] is None

    @pytest.mark.parametrize("kind", Notification.Type.values)
    def test_lets_people_unsubscribe_from_reminders_alone(self, kind):
        headers = travelling(mail.compose(taken(kind)))
        if kind == "event_reminder":
            assert headers["List-Unsubscribe"].startswith(
                "<https://happening.example/notifications/unsubscribe/"
            )
            assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        else:
            assert headers["List-Unsubscribe"] is None

    def test_does_without_a_name_and_an_organization(self):
        letter = mail.compose(taken("booking_confirmed", name=None, organization=None))
        assert letter.body.startswith("Hello,\n")


class TestTheCalendarEntry:
    @pytest.mark.parametrize(
        "case", [case for case in CASES if not case.startswith(("booking_waitlisted", "event_reminder"))]
    )
    def test_is_as_calendars_read_it(self, case):
        found = parts(mail.compose(taken(kind_of(case), **CASES[case])))
        if CASES[case].get("waits"):
            assert "text/calendar" not in found
            return
        assert is_as_read(f"{case}.ics", found["text/calendar"].get_content())

    def test_stands_beside_the_words_and_as_a_file(self):
        message = travelling(mail.compose(taken("booking_confirmed")))
        calendars = [part for part in message.walk() if part.get_content_type() == "text/calendar"]
        assert [part.get_filename() for part in calendars] == [None, "invite.ics"]
        assert {part.get_param("method") for part in calendars} == {"REQUEST"}
        assert calendars[0].get_param("charset") == "utf-8"

    @pytest.mark.parametrize("kind", ["event_updated", "event_cancelled"])
    def test_is_there_for_each_booking_with_seats_that_the_news_is_of(self, kind):
        others = [
            {"booking_id": str(UUID(int=0xB00D)), "booking_version": 3},
            {"booking_id": str(UUID(int=0xB00E)), "booking_version": 1, "waits": True},
        ]
        message = travelling(mail.compose(taken(kind, sequence=1, others=others)))
        files = {part.get_filename(): part.get_content() for part in message.iter_attachments()}
        entries = {name: Calendar.from_ical(text).walk("VEVENT")[0] for name, text in files.items()}
        assert {name: str(entry["UID"]) for name, entry in entries.items()} == {
            "invite.ics": f"booking-{BOOKING}@happening.example",
            "invite-2.ics": f"booking-{UUID(int=0xB00D)}@happening.example",
        }
        assert [int(entry["SEQUENCE"]) for entry in entries.values()] == [1, 3]

    def test_keeps_its_name_and_grows_in_number_through_a_booking_s_life(self):
        told = [
            taken("booking_confirmed"),
            taken("booking_confirmed", booking_version=2),
            taken("event_updated", booking_version=2, sequence=1),
            taken("booking_cancelled", booking_version=3, sequence=1),
        ]
        entries = []
        for one in told:
            calendar = Calendar.from_ical(parts(mail.compose(one))["text/calendar"].get_content())
            entries.append(calendar.walk("VEVENT")[0])
        assert {str(entry["UID"]) for entry in entries} == {f"booking-{BOOKING}@happening.example"}
        assert [int(entry["SEQUENCE"]) for entry in entries] == [0, 1, 2, 3]

    @pytest.mark.parametrize("hostile", ['Ada "The" L.', "Ada\r\nATTENDEE:mailto:x@y.test", "Ada;CN=Eve,\\n"])
    def test_is_whole_whatever_people_are_called(self, hostile):
        text = parts(mail.compose(taken("booking_confirmed", name=hostile)))["text/calendar"].get_content()
        [entry] = Calendar.from_ical(text).walk("VEVENT")
        assert str(entry["ATTENDEE"]) == "mailto:ada@example.test"

    def test_has_no_longer_lines_than_calendars_read(self):
        entry = parts(mail.compose(taken("booking_confirmed", title="Ø" * 300)))["text/calendar"]
        assert all(len(line.encode()) <= 75 for line in entry.get_content().splitlines())
