"""Reminders, from the hours an organization has set to the rows that are owed."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from bookings import services
from bookings.models import EventJob
from bookings.reminders import hours_of
from bookings.services import remind as reminding
from events.models import Event
from notifications import fanout
from notifications.models import Notification
from orgs.models import Organization
from tests.factories import EventFactory, OrganizationFactory, UserFactory

pytestmark = pytest.mark.django_db

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
STARTS = datetime(2040, 7, 10, 17, tzinfo=UTC)  # 19:00 in Berlin
MOMENT = STARTS - 24 * HOUR
LONG_BEFORE = STARTS - timedelta(days=20)


def set_hours(event, *hours):
    Organization.objects.filter(pk=event.org_id).update(settings={"reminder_hours": list(hours)})


def remind(*, at) -> int:
    services.owe_reminders(now=at)
    return services.run_jobs(now=at)


def reminded() -> list:
    return [
        row.user_id for row in Notification.objects.filter(type="event_reminder").order_by("created_at", "id")
    ]


@pytest.fixture
def now():
    """When people book here, if nothing else is said."""
    return LONG_BEFORE


@pytest.fixture
def event(db):
    return EventFactory(event_date=STARTS, ends_at=None, total_slots=10)


@pytest.fixture
def ada(event, book):
    return book(event, 1).user


class TestHours:
    @pytest.mark.parametrize(
        ("settings", "hours"),
        [
            ({}, [24]),
            ({"reminder_hours": [48, 2]}, [48, 2]),
            ({"reminder_hours": []}, []),
            ({"reminder_hours": "24"}, [24]),
            ({"reminder_hours": [0]}, [24]),
            ({"reminder_hours": [True]}, [24]),
            ({"reminder_hours": [337]}, [24]),
            ({"reminder_hours": None}, [24]),
        ],
    )
    def test_are_a_day_where_nothing_that_makes_sense_is_set(self, settings, hours):
        assert hours_of(settings) == hours


class TestAReminder:
    def test_is_owed_when_its_moment_has_come_and_not_before(self, ada):
        assert remind(at=MOMENT - timedelta(seconds=1)) == 0
        assert remind(at=MOMENT) == 1
        assert reminded() == [ada.pk]

    def test_says_what_the_event_is_now(self, event, ada):
        remind(at=MOMENT + HOUR)
        payload = Notification.objects.get(type="event_reminder").payload
        assert (payload["title"], payload["hours"]) == (event.title, 24)
        assert payload["starts_at"] == "2040-07-10T17:00:00Z"

    def test_leads_to_the_event_online(self, event, ada):
        Event.objects.filter(pk=event.pk).update(online_url="https://meet.example.org/room")
        remind(at=MOMENT)
        payload = Notification.objects.get(type="event_reminder").payload
        assert payload["online_url"] == "https://meet.example.org/room"

    def test_is_owed_once_however_often_it_is_asked_for(self, ada):
        for minutes in range(5):
            remind(at=MOMENT + timedelta(minutes=minutes))
        assert reminded() == [ada.pk]

    def test_is_owed_once_by_two_timetables(self, event, ada):
        for _ in range(2):
            services.owe_reminders(now=MOMENT)
        first = EventJob.objects.get()
        assert not reminding.remind(job=first, now=MOMENT)
        assert not reminding.remind(job=first, now=MOMENT)
        assert len(reminded()) == 1

    def test_comes_late_rather_than_never_but_not_once_the_event_has_begun(self, event, ada, book):
        other = EventFactory(event_date=STARTS - 10 * HOUR)
        book(other, 1)
        remind(at=STARTS - 9 * HOUR)
        assert reminded() == [ada.pk]

    def test_goes_to_a_person_once_however_many_bookings_they_have(self, event, book, ada, monkeypatch):
        monkeypatch.setattr(reminding, "PAGE", 1)
        book(event, 2, user=ada)
        remind(at=MOMENT)
        assert reminded() == [ada.pk]

    def test_is_told_page_by_page(self, event, book, monkeypatch):
        monkeypatch.setattr(reminding, "PAGE", 2)
        people = [book(event, 1).user_id for _ in range(5)]
        remind(at=MOMENT)
        assert reminded() == people

    def test_does_not_go_to_who_was_confirmed_after_its_moment(self, event, ada, book, promote):
        book(event, 9)
        waiting = book(event, 1, or_wait=True)
        still_waiting = book(event, 1, or_wait=True)
        Event.objects.filter(pk=event.pk).update(total_slots=11)
        services.change_capacity(
            event_id=event.pk, total_slots=12, actor_id=None, now=MOMENT + timedelta(seconds=1)
        )
        late = EventFactory(event_date=STARTS)
        book(late, 1, now=MOMENT + timedelta(seconds=1))
        waiting.refresh_from_db()
        assert waiting.is_confirmed
        remind(at=MOMENT + HOUR)
        assert ada.pk in reminded()
        assert not {waiting.user_id, still_waiting.user_id} & set(reminded())
        assert len(reminded()) == 2

    def test_goes_to_who_was_promoted_before_it(self, event, book, promote, organizer):
        booking = book(event, 10)
        waiting = book(event, 1, or_wait=True)
        services.cancel(booking_id=booking.pk, actor_id=booking.user_id, now=MOMENT - HOUR)
        remind(at=MOMENT)
        assert reminded() == [waiting.user_id]

    def test_does_not_go_to_who_waits_or_has_cancelled(self, event, book, cancel, ada):
        cancel(book(event, 1))
        book(event, 9)
        waiting = book(event, 1, or_wait=True)
        remind(at=MOMENT)
        assert len(reminded()) == 2
        assert waiting.user_id not in reminded()


class TestNobodyIsReminded:
    @pytest.mark.parametrize(
        "of",
        [
            {"status": "cancelled"},
            {"status": "completed"},
            {"published_at": None},
            {"org_id": None},
        ],
    )
    def test_of_an_event_that_is_not_to_come(self, event, ada, of):
        Event.objects.filter(pk=event.pk).update(**of)
        remind(at=MOMENT)
        assert reminded() == []

    def test_by_an_organization_that_is_closed(self, event, ada):
        Organization.objects.update(status="suspended")
        remind(at=MOMENT)
        assert len(reminded()) == 1
        Notification.objects.all().delete()
        EventJob.objects.all().delete()
        Event.objects.update(status="cancelled")  # only then can an organization be closed
        Organization.objects.update(status="closed")
        remind(at=MOMENT)
        assert reminded() == []

    def test_when_the_organization_wants_it_so(self, event, ada):
        set_hours(event)
        remind(at=STARTS - HOUR)
        assert reminded() == []

    def test_of_an_event_without_people(self, event):
        remind(at=MOMENT)
        assert not EventJob.objects.exists()

    @pytest.mark.parametrize("change", [{"status": "cancelled"}, {"event_date": STARTS + 240 * HOUR}])
    def test_when_the_event_is_another_by_the_time_of_telling(self, event, ada, change):
        services.owe_reminders(now=MOMENT)
        Event.objects.filter(pk=event.pk).update(**change)
        services.run_jobs(now=MOMENT)
        assert reminded() == []


class TestHoursThatAreSet:
    def test_are_of_the_calendar_when_they_are_whole_days(self, book):
        starts = datetime(2040, 3, 25, 17, tzinfo=UTC)  # the clock went forward that night
        event = EventFactory(event_date=starts, ends_at=None)
        book(event, 1, now=starts - timedelta(days=9))
        assert remind(at=starts - 23 * HOUR - timedelta(seconds=1)) == 0
        assert remind(at=starts - 23 * HOUR) == 1

    def test_remind_once_each(self, event, ada):
        set_hours(event, 2, 336, 24)
        for hours in range(340, 0, -1):
            remind(at=STARTS - hours * HOUR)
            Notification.objects.update(status="delivered", delivered_at=STARTS - hours * HOUR)
        hours = Notification.objects.order_by("created_at").filter(type="event_reminder")
        assert [row.payload["hours"] for row in hours] == [336, 24, 2]

    def test_that_fell_together_remind_once(self, event, ada):
        set_hours(event, 2, 336, 24)
        remind(at=STARTS - HOUR)
        assert reminded() == [ada.pk]

    @pytest.mark.parametrize("hours", [[48], [25], [23], [2], [168, 48]])
    def test_otherwise_afterwards_remind_nobody_again(self, event, ada, hours):
        remind(at=MOMENT)
        set_hours(event, *hours)
        for left in (23, 12, 2, 1):
            remind(at=STARTS - left * HOUR)
        assert reminded() == [ada.pk]

    def test_in_addition_afterwards_remind_once_more(self, event, ada):
        remind(at=MOMENT)
        set_hours(event, 24, 2)
        remind(at=STARTS - 3 * HOUR)
        assert len(reminded()) == 1
        Notification.objects.update(status="delivered", delivered_at=MOMENT)
        remind(at=STARTS - 2 * HOUR)
        assert reminded() == [ada.pk, ada.pk]

    def test_in_addition_are_one_message_where_the_first_was_never_taken(self, event, ada):
        """Nobody delivered for a day: two reminders of the same event would be one too many."""
        set_hours(event, 24, 2)
        remind(at=MOMENT)
        remind(at=STARTS - 2 * HOUR)
        assert Notification.objects.get(type="event_reminder").payload["hours"] == 2


class TestAnEventThatMoves:
    def test_later_is_reminded_of_at_its_new_date_once_more(self, event, ada, reschedule):
        remind(at=MOMENT)
        Notification.objects.update(status="delivered", delivered_at=MOMENT)
        reschedule(event, event_date=STARTS + 240 * HOUR, now=MOMENT + HOUR)
        services.run_jobs(now=MOMENT + 2 * HOUR)
        remind(at=MOMENT + 239 * HOUR)
        assert len(reminded()) == 1
        remind(at=MOMENT + 240 * HOUR)
        assert reminded() == [ada.pk, ada.pk]

    def test_has_the_reminder_that_waits_withdrawn_for_the_news(self, event, ada, reschedule):
        remind(at=MOMENT)
        reschedule(event, event_date=STARTS + 240 * HOUR, now=MOMENT + HOUR)
        services.run_jobs(now=MOMENT + 2 * HOUR)
        reminder = Notification.objects.get(type="event_reminder")
        news = Notification.objects.get(type="event_updated")
        assert (reminder.status, reminder.superseded_by) == ("delivered", news.pk)

    @pytest.mark.parametrize("change", [{"event_date": STARTS + 240 * HOUR}, {"place": "The park"}])
    def test_has_the_reminder_that_waits_held_back_until_people_are_told(
        self, event, book, reschedule, change, monkeypatch
    ):
        monkeypatch.setattr(fanout, "PAGE", 2)
        for _ in range(5):
            book(event, 1)
        other = EventFactory(event_date=STARTS)
        book(other, 1)
        remind(at=MOMENT)
        theirs = Notification.objects.filter(event_id=event.pk, type="event_reminder")
        in_hand = theirs.first()
        Notification.objects.filter(pk=in_hand.pk).update(lease_until=MOMENT + HOUR)
        reschedule(event, **change, now=MOMENT + MINUTE)
        held = theirs.filter(due_at__gt=MOMENT + 3 * MINUTE, due_at__lt=MOMENT + 10 * MINUTE)
        assert held.count() == 4
        assert in_hand.pk not in held.values_list("pk", flat=True)
        assert Notification.objects.get(event_id=other.pk, type="event_reminder").due_at == MOMENT

    def test_to_a_moment_that_has_passed_reminds_by_the_news_alone(self, event, ada, reschedule):
        at = STARTS - 100 * HOUR
        reschedule(event, event_date=at + 20 * HOUR, now=at)
        remind(at=at + HOUR)
        assert reminded() == []
        assert Notification.objects.filter(type="event_updated").count() == 1

    def test_between_two_reminders_still_has_the_second(self, event, ada, reschedule):
        set_hours(event, 24, 2)
        at = STARTS - 100 * HOUR
        reschedule(event, event_date=at + 20 * HOUR, now=at)
        remind(at=at + 18 * HOUR)
        assert reminded() == [ada.pk]

    def test_in_the_middle_of_reminding_stops_it(self, event, book, reschedule, monkeypatch):
        monkeypatch.setattr(reminding, "PAGE", 1)
        for _ in range(3):
            book(event, 1)
        services.owe_reminders(now=MOMENT)
        job = EventJob.objects.get()
        assert reminding.remind(job=job, now=MOMENT)
        reschedule(event, event_date=STARTS + 240 * HOUR, now=MOMENT)
        assert not reminding.remind(job=job, now=MOMENT)
        assert len(reminded()) == 1

    def test_by_mistake_and_back_before_anybody_was_told_is_reminded_of_all_the_same(
        self, event, ada, reschedule
    ):
        reschedule(event, event_date=STARTS + 240 * HOUR, now=MOMENT - MINUTE)
        reschedule(event, event_date=STARTS, now=MOMENT + MINUTE / 2)
        assert remind(at=MOMENT + MINUTE / 2) == 0
        remind(at=MOMENT + MINUTE)
        assert reminded() == []
        remind(at=MOMENT + 2 * MINUTE)
        assert reminded() == [ada.pk]
        assert not Notification.objects.filter(type="event_updated").exists()

    def test_and_back_reminds_by_the_news_of_both_where_people_were_told(self, event, ada, reschedule):
        reschedule(event, event_date=STARTS + 240 * HOUR, now=MOMENT - HOUR)
        services.run_jobs(now=MOMENT)
        reschedule(event, event_date=STARTS, now=MOMENT + HOUR)
        remind(at=MOMENT + HOUR)
        remind(at=MOMENT + 2 * HOUR)
        remind(at=MOMENT + 3 * HOUR)
        assert reminded() == []

    def test_and_back_in_the_middle_of_reminding_reminds_everybody_once(
        self, event, book, reschedule, monkeypatch
    ):
        monkeypatch.setattr(reminding, "PAGE", 1)
        people = {book(event, 1).user_id for _ in range(3)}
        services.owe_reminders(now=MOMENT)
        assert reminding.remind(job=EventJob.objects.get(), now=MOMENT)
        reschedule(event, event_date=STARTS + 240 * HOUR, now=MOMENT)
        reschedule(event, event_date=STARTS, now=MOMENT + MINUTE)
        services.run_jobs(now=MOMENT + 2 * MINUTE)
        assert len(reminded()) == 1
        remind(at=MOMENT + 3 * MINUTE)
        assert len(reminded()) == 3
        assert set(reminded()) == people

    def test_to_another_place_in_the_middle_of_reminding_goes_on_reminding(
        self, event, book, reschedule, monkeypatch
    ):
        monkeypatch.setattr(reminding, "PAGE", 1)
        people = [book(event, 1).user_id for _ in range(3)]
        services.owe_reminders(now=MOMENT)
        reminding.remind(job=EventJob.objects.get(), now=MOMENT)
        reschedule(event, place="The park", now=MOMENT)
        reschedule(event, place="Town hall", now=MOMENT + MINUTE)
        remind(at=MOMENT + 2 * MINUTE)
        assert reminded() == people


class TestWhoCancelsInBetween:
    def test_is_not_reminded_any_more(self, event, book):
        booking = book(event, 1)
        remind(at=MOMENT)
        services.cancel(booking_id=booking.pk, actor_id=booking.user_id, now=MOMENT + HOUR)
        reminder = Notification.objects.get(type="event_reminder")
        cancelled = Notification.objects.get(type="booking_cancelled")
        assert (reminder.status, reminder.superseded_by) == ("delivered", cancelled.pk)
        assert reminder.read_at == MOMENT + HOUR

    def test_is_reminded_of_another_booking_of_the_same_event(self, event, book):
        booking = book(event, 1)
        other = book(event, 1, user=booking.user)
        remind(at=MOMENT)
        services.cancel(booking_id=booking.pk, actor_id=booking.user_id, now=MOMENT + HOUR)
        reminder = Notification.objects.get(type="event_reminder")
        assert (reminder.status, reminder.booking_id) == ("pending", other.pk)
        assert reminder.bookings() == [{"booking_id": str(other.pk), "booking_version": other.version}]

    def test_is_not_reminded_for_a_booking_made_after_the_moment(self, event, book):
        booking = book(event, 1)
        remind(at=MOMENT)
        book(event, 1, user=booking.user, now=MOMENT + HOUR)
        services.cancel(booking_id=booking.pk, actor_id=booking.user_id, now=MOMENT + 2 * HOUR)
        reminder = Notification.objects.get(type="event_reminder")
        cancelled = Notification.objects.get(type="booking_cancelled")
        assert (reminder.status, reminder.superseded_by) == ("delivered", cancelled.pk)

    def test_leaves_what_somebody_has_in_hand(self, event, book):
        booking = book(event, 1)
        remind(at=MOMENT)
        Notification.objects.filter(type="event_reminder").update(lease_until=MOMENT + 2 * HOUR)
        services.cancel(booking_id=booking.pk, actor_id=booking.user_id, now=MOMENT + HOUR)
        assert Notification.objects.get(type="event_reminder").status == "pending"


class TestTheCommand:
    @pytest.fixture
    def soon(self, book):
        now = timezone.now()
        event = EventFactory(title="Jazz", event_date=now + 20 * HOUR, org=OrganizationFactory())
        for _ in range(2):
            book(event, 1, now=now - 100 * HOUR, user=UserFactory())
        return event

    def ask(self, *options) -> str:
        out = StringIO()
        call_command("send_reminders", *options, stdout=out)
        return out.getvalue()

    def test_says_what_it_would_do_and_does_it_not(self, soon):
        said = self.ask("--dry-run")
        assert said.startswith("Jazz, ")
        assert said.endswith("2 people of 1 events would be reminded.\n")
        assert reminded() == []

    def test_does_it_and_says_so(self, soon):
        assert self.ask() == "2 people of 1 events are reminded.\n"
        assert len(reminded()) == 2
        assert self.ask() == "0 people of 0 events are reminded.\n"

    def test_says_it_as_json(self, soon):
        said = json.loads(self.ask("--json", "--dry-run"))
        assert said["dry_run"]
        assert [(each["title"], each["people"], each["hours_before"]) for each in said["reminders"]] == [
            ("Jazz", 2, 24)
        ]
