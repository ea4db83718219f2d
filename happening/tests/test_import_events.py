"""`manage.py import_events`: a calendar in, again and again."""

import json
from datetime import UTC, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from bookings import seat_counter, services
from bookings.models import Booking, EventJob
from events import ical
from events.models import Event
from happening import importing
from tests.factories import EventFactory, OrganizationFactory, UserFactory

pytestmark = pytest.mark.django_db

NOW = timezone.now().replace(microsecond=0)


def at(days, hour=18):
    """A moment so many days from today, as calendars write it."""
    day = NOW.astimezone(UTC) + timedelta(days=days)
    return f"{day:%Y%m%d}T{hour:02}0000Z"


def entry(*more, uid="talk@x", summary="Talk", start=None, end=None):
    lines = [f"UID:{uid}", f"SUMMARY:{summary}", f"DTSTART:{start or at(10)}", f"DTEND:{end or at(10, 20)}"]
    return "\n".join(["BEGIN:VEVENT", *lines, *more, "END:VEVENT"])


@pytest.fixture
def org():
    return OrganizationFactory(slug="acme", domain="acme.test")


@pytest.fixture
def bring(org, tmp_path):
    """Import entries and return what the command said, line by line."""

    def bring(*entries, **options):
        path = tmp_path / "calendar.ics"
        path.write_text("\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", *entries, "END:VCALENDAR", ""]))
        return command(path, **options)

    return bring


def command(path, **options):
    said = StringIO()
    call_command("import_events", str(path), **{"org": "acme", **options}, stdout=said)
    return said.getvalue().splitlines()


def imported():
    return Event.objects.filter(source_uid__isnull=False).order_by("event_date", "pk")


class TestFirstTime:
    def test_creates_published_events_with_the_seats_asked_for(self, bring, org):
        words = ["DESCRIPTION:Come early.", "LOCATION:Town hall", "CATEGORIES:Concert", "URL:https://x.test/"]
        assert bring(entry(*words), slots=30) == [
            "1 events created, 0 changed, 0 cancelled, 0 unchanged, 0 skipped."
        ]
        event = imported().get()
        assert (event.org, event.total_slots, event.available_slots) == (org, 30, 30)
        assert event.is_published
        assert (event.title, event.description, event.place) == ("Talk", "Come early.", "Town hall")
        assert (event.category, event.online_url) == ("concert", "https://x.test/")
        assert event.source_uid == "talk@x"

    def test_gives_a_hundred_seats_where_nobody_says(self, bring):
        bring(entry())
        assert imported().get().total_slots == 100

    def test_makes_an_event_of_each_time_of_a_series(self, bring):
        bring(entry("RRULE:FREQ=WEEKLY;COUNT=4"))
        assert imported().count() == 4

    def test_follows_series_no_further_than_the_horizon(self, bring):
        bring(entry("RRULE:FREQ=WEEKLY"), horizon=25)
        assert imported().count() == 3

    def test_skips_a_bad_entry_by_name_and_brings_in_the_rest(self, bring):
        said = bring(entry(summary="Fine"), entry("DTEND:20200101T000000Z", uid="b", summary="Bad", end="x"))
        assert said[0].startswith("Skipped: “Bad” (")
        assert said[-1] == "1 events created, 0 changed, 0 cancelled, 0 unchanged, 1 skipped."

    def test_leaves_out_what_is_over_or_called_off_already(self, bring):
        past = entry(uid="past", start=at(-10), end=at(-10, 20))
        assert bring(past, entry("STATUS:CANCELLED")) == [
            "0 events created, 0 changed, 0 cancelled, 0 unchanged, 1 past, 0 skipped."
        ]

    def test_shows_private_entries_to_members_only(self, bring):
        bring(entry("CLASS:PRIVATE"))
        assert imported().get().visibility == Event.Visibility.MEMBERS

    @pytest.mark.parametrize("name", ["acme", "ACME", "acme.test", "id"])
    def test_knows_the_organization_by_its_names(self, bring, org, name):
        bring(entry(), org=str(org.pk) if name == "id" else name)
        assert imported().get().org == org

    def test_keeps_the_same_calendar_of_two_organizations_apart(self, bring):
        OrganizationFactory(slug="globex")
        bring(entry())
        bring(entry(), org="globex")
        assert imported().count() == 2

    def test_writes_nothing_on_a_dry_run(self, bring):
        assert bring(entry(), dry_run=True) == [
            "Nothing was written; this is what would happen:",
            "1 events created, 0 changed, 0 cancelled, 0 unchanged, 0 skipped.",
        ]
        assert not imported().exists()

    def test_answers_programs_in_json(self, bring):
        [answer] = bring(entry(), entry(uid=""), json=True)
        answer = json.loads(answer)
        assert (answer["created"], answer["dry_run"]) == (1, False)
        assert answer["skipped"][0]["why"] == "it has no UID, so it could not be found again"


class TestAgain:
    def test_changes_nothing_when_the_file_is_the_same(self, bring):
        entries = [
            entry("RRULE:FREQ=WEEKLY;COUNT=3"),
            entry("LOCATION:Hall\\, back room", uid="b", summary="=1+1"),
        ]
        bring(*entries)
        before = list(imported().values())
        assert bring(*entries) == ["0 events created, 0 changed, 0 cancelled, 4 unchanged, 0 skipped."]
        assert list(imported().values()) == before

    def test_takes_over_changed_words_and_tells_nobody(self, bring):
        bring(entry())
        assert bring(entry("DESCRIPTION:New.", summary="Long talk"))[-1].startswith(
            "0 events created, 1 changed"
        )
        event = imported().get()
        assert (event.title, event.description) == ("Long talk", "New.")
        assert not EventJob.objects.exists()

    @pytest.mark.django_db(transaction=True)
    def test_has_the_counter_begin_anew_for_what_has_become_private(self, bring):
        bring(entry())
        services.book(event_id=imported().get().pk, user_id=UserFactory().pk, seats=1, now=timezone.now())
        [counter] = seat_counter.read([imported().get().pk]).values()
        assert counter.slots == 99
        bring(entry("CLASS:PRIVATE"))
        assert list(seat_counter.read([imported().get().pk]).values()) == [None]

    def test_moves_an_event_through_the_service_so_that_people_are_told(self, bring):
        bring(entry())
        event = imported().get()
        booking = services.book(event_id=event.pk, user_id=UserFactory().pk, seats=2, now=timezone.now())
        assert bring(entry(start=at(11), end=at(11, 20)))[-1].startswith("0 events created, 1 changed")
        event.refresh_from_db()
        assert f"{event.event_date:%Y%m%d}" == at(11)[:8]
        assert event.sequence == 1
        assert event.jobs.get().kind == EventJob.Kind.TELL_OF_CHANGE
        assert Booking.objects.get().pk == booking.pk

    def test_changes_the_link_to_join_through_the_service_too(self, bring):
        bring(entry("URL:https://x.test/1"))
        event = imported().get()
        assert bring(entry("URL:https://x.test/2"))[-1].startswith("0 events created, 1 changed")
        event.refresh_from_db()
        assert (event.online_url, event.sequence) == ("https://x.test/2", 1)
        assert EventJob.objects.filter(event=event, kind="tell_of_change").exists()
        assert bring(entry())[-1].startswith("0 events created, 0 changed")

    def test_cancels_through_the_service_so_that_people_are_told(self, bring):
        bring(entry())
        event = imported().get()
        services.book(event_id=event.pk, user_id=UserFactory().pk, seats=2, now=timezone.now())
        assert "1 cancelled" in bring(entry("STATUS:CANCELLED"))[-1]
        services.run_jobs(now=timezone.now())
        event.refresh_from_db()
        assert event.is_cancelled
        assert Booking.objects.get().is_cancelled
        assert bring(entry("STATUS:CANCELLED"))[-1].endswith("0 cancelled, 1 unchanged, 0 skipped.")

    def test_cancels_the_one_time_of_a_series_that_is_left_out_now(self, bring):
        bring(entry("RRULE:FREQ=WEEKLY;COUNT=3"))
        said = bring(entry("RRULE:FREQ=WEEKLY;COUNT=3", f"EXDATE:{at(17)}"))
        assert said == ["0 events created, 0 changed, 1 cancelled, 2 unchanged, 0 skipped."]
        assert [event.is_cancelled for event in imported()] == [False, True, False]

    def test_moves_the_one_time_of_a_series_that_was_moved(self, bring):
        weekly = entry("RRULE:FREQ=WEEKLY;COUNT=3")
        bring(weekly)
        moved = entry(f"RECURRENCE-ID:{at(17)}", start=at(18), end=at(18, 20))
        assert bring(weekly, moved) == ["0 events created, 1 changed, 0 cancelled, 2 unchanged, 0 skipped."]
        assert imported().count() == 3

    @pytest.mark.parametrize(("days", "hour"), [(10, 19), (11, 18), (9, 18)])
    def test_moves_every_event_of_a_series_that_was_moved_as_a_whole(self, bring, days, hour):
        bring(entry("RRULE:FREQ=WEEKLY;COUNT=3"))
        before = set(imported().values_list("pk", flat=True))
        moved = entry("RRULE:FREQ=WEEKLY;COUNT=3", start=at(days, hour), end=at(days, hour + 2))
        assert bring(moved) == ["0 events created, 3 changed, 0 cancelled, 0 unchanged, 0 skipped."]
        assert set(imported().values_list("pk", flat=True)) == before
        assert bring(moved) == ["0 events created, 0 changed, 0 cancelled, 3 unchanged, 0 skipped."]

    def test_goes_on_with_an_event_whose_entry_has_become_a_series(self, bring):
        bring(entry())
        assert bring(entry("RRULE:FREQ=WEEKLY;COUNT=3"))[-1].startswith("2 events created, 0 changed")

    def test_leaves_alone_what_is_gone_from_the_file(self, bring):
        bring(entry(), entry(uid="b"))
        bring(entry())
        assert not any(event.is_cancelled for event in imported())

    def test_leaves_the_seats_of_events_that_are_there(self, bring):
        bring(entry(), slots=30)
        bring(entry(), slots=50)
        assert imported().get().total_slots == 30

    def test_keeps_what_the_file_is_silent_about(self, bring):
        bring(entry())
        imported().update(place="Town hall", description="Ours.", visibility="unlisted")
        assert "1 unchanged" in bring(entry())[-1]

    def test_does_not_bring_back_what_was_cancelled_here(self, bring):
        bring(entry())
        services.cancel_event(event_id=imported().get().pk, reason="Fog", actor_id=None, now=timezone.now())
        assert "1 unchanged" in bring(entry(summary="Other"))[-1]

    def test_does_not_move_an_event_into_the_past(self, bring):
        bring(entry())
        said = bring(entry(start=at(-3), end=at(-3, 20)))
        assert "it was moved into the past" in said[0]
        assert imported().get().event_date > timezone.now()

    def test_says_how_far_it_is_where_there_is_much_to_do(self, bring, monkeypatch):
        monkeypatch.setattr(importing, "PAGE", 2)
        assert bring(entry("RRULE:FREQ=WEEKLY;COUNT=5"))[:2] == ["2 of 5 events.", "4 of 5 events."]

    def test_finishes_what_an_import_that_was_killed_began(self, bring, monkeypatch):
        calls = []

        def dies(**facts):
            calls.append(facts)
            if len(calls) == 2:
                raise KeyboardInterrupt
            return create(**facts)

        create = importing.create_event
        monkeypatch.setattr(importing, "create_event", dies)
        weekly = entry("RRULE:FREQ=WEEKLY;COUNT=3")
        with pytest.raises(KeyboardInterrupt):
            bring(weekly)
        assert imported().count() == 1
        monkeypatch.setattr(importing, "create_event", create)
        assert bring(weekly)[-1].startswith("2 events created, 0 changed, 0 cancelled, 1 unchanged")

    def test_lets_another_import_come_first(self, org):
        reading = ical.read(
            "\n".join(["BEGIN:VCALENDAR", entry(), "END:VCALENDAR"]).encode(),
            now=NOW,
            horizon=timedelta(days=30),
        )
        late = importing._Importer(reading, org=org, slots=5, now=NOW, dry_run=False)
        importing.import_reading(reading, org=org, slots=5, now=NOW)
        late.take(reading.occurrences[0])
        assert late.report.unchanged == 1
        assert imported().count() == 1


class TestBadInput:
    def refusal(self, path, **options):
        with pytest.raises(CommandError) as refused:
            command(path, **options)
        assert "\n" not in str(refused.value)
        assert not imported().exists()
        return str(refused.value)

    def test_names_a_missing_file(self, org, tmp_path):
        assert "there is no such file" in self.refusal(tmp_path / "none.ics")

    @pytest.mark.parametrize(
        ("content", "why"),
        [
            (b"", "is empty"),
            (b"\x7fELF\x00\x01", "not an iCalendar file"),
            (b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:a\r\nDTSTART:20990101T000000Z\r\n", "is cut off"),
            (b"BEGIN:VCALENDAR\r\n" * 50, "calendar within a calendar"),
        ],
    )
    def test_says_in_one_line_what_is_wrong_and_does_nothing(self, org, tmp_path, content, why):
        (tmp_path / "bad.ics").write_bytes(content)
        assert why in self.refusal(tmp_path / "bad.ics")

    def test_does_nothing_of_a_file_whose_end_is_missing(self, org, tmp_path):
        (tmp_path / "cut.ics").write_text("\n".join(["BEGIN:VCALENDAR", entry(), entry(uid="b")]))
        assert "is cut off" in self.refusal(tmp_path / "cut.ics")

    def test_names_an_organization_that_does_not_exist(self, tmp_path):
        assert "There is no organization “acme”" in self.refusal(tmp_path / "none.ics")

    def test_brings_nothing_into_a_suspended_organization(self, tmp_path):
        OrganizationFactory(slug="acme", name="Acme", status="suspended")
        assert "Acme is suspended" in self.refusal(tmp_path / "none.ics")

    @pytest.mark.parametrize("options", [{"slots": 0}, {"slots": -5}, {"slots": 10**9}, {"horizon": 0}])
    def test_names_a_number_that_cannot_be(self, org, tmp_path, options):
        assert "is a number of" in self.refusal(tmp_path / "none.ics", **options)

    def test_touches_no_event_that_was_not_imported(self, org, bring):
        own = EventFactory(org=org, title="Talk")
        bring(entry(summary="Other talk"))
        own.refresh_from_db()
        assert own.title == "Talk"
