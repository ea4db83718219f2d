from datetime import timedelta
from uuid import uuid4

import pytest

from bookings import services
from bookings.errors import (
    BookingRefused,
    Closed,
    EventCancelled,
    NoSuchTime,
    StartsInThePast,
    TimesDoNotFit,
)
from bookings.models import EventJob
from bookings.services import news as telling
from events.models import Event
from notifications.models import Notification
from notifications.wording import Message
from tests.factories import EventFactory, UserFactory
from tests.truth import assert_sound, line_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("as_the_application")]

TWO_MINUTES = timedelta(minutes=2)
LINK = "https://meet.example.org/room"


def deliver(messages, *, at):
    messages.update(status="delivered", delivered_at=at, sent_at=at)


def news():
    """What people were told of moved events, in the order in which it was written."""
    return list(Notification.objects.filter(type="event_updated").order_by("id"))


class TestReschedule:
    def test_gives_the_event_its_new_time_and_place(self, event, reschedule):
        starts = event.event_date + timedelta(days=1)
        reschedule(event, event_date=starts, ends_at=None, place="The park", time_zone="Europe/Paris")
        event.refresh_from_db()
        assert (event.event_date, event.ends_at) == (starts, None)
        assert (event.place, event.time_zone) == ("The park", "Europe/Paris")

    def test_counts_each_change_for_calendars(self, event, reschedule):
        reschedule(event, place="The park")
        reschedule(event, place="The hall", ends_at=None)
        assert Event.objects.get(pk=event.pk).sequence == 2

    def test_into_the_past_or_beyond_the_calendar_is_refused(self, event, reschedule, now):
        with pytest.raises(StartsInThePast):
            reschedule(event, event_date=now - timedelta(days=1), ends_at=None)
        with pytest.raises(NoSuchTime):
            reschedule(event, ends_at=now.replace(year=9999))
        assert not EventJob.objects.exists()

    def test_to_the_same_changes_nothing_and_tells_nobody(self, event, book, reschedule):
        book(event, 1)
        before = Event.objects.get(pk=event.pk)
        reschedule(event)
        after = Event.objects.get(pk=event.pk)
        assert (after.sequence, after.version) == (0, before.version)
        assert not EventJob.objects.exists()

    def test_moves_the_end_of_booking_along(self, book, now, reschedule):
        event = EventFactory(booking_closes_at=now + timedelta(days=29))
        closes = event.booking_closes_at
        reschedule(event, event_date=event.event_date + timedelta(days=7), ends_at=None)
        assert Event.objects.get(pk=event.pk).booking_closes_at == closes + timedelta(days=7)
        reschedule(event, place="The park")
        assert Event.objects.get(pk=event.pk).booking_closes_at == closes + timedelta(days=7)

    def test_lets_the_queue_settle_when_it_opens_booking_again(
        self, event, book, change_capacity, reschedule, now
    ):
        book(event, 10)
        waiting = book(event, 2, or_wait=True)
        Event.objects.filter(pk=event.pk).update(booking_closes_at=now)
        change_capacity(event, 12)
        waiting.refresh_from_db()
        assert waiting.is_waiting
        reschedule(event, event_date=event.event_date + timedelta(days=1), ends_at=None)
        waiting.refresh_from_db()
        assert waiting.is_confirmed
        assert_sound(event.pk)

    def test_makes_an_event_that_has_begun_upcoming_again(self, reschedule, now):
        event = EventFactory(status="ongoing", event_date=now - timedelta(hours=1))
        reschedule(event, event_date=now + timedelta(days=1), ends_at=None)
        assert Event.objects.get(pk=event.pk).status == "upcoming"


class TestRescheduleRefuses:
    def test_an_end_before_the_start(self, event, reschedule):
        with pytest.raises(TimesDoNotFit):
            reschedule(event, ends_at=event.event_date)
        assert Event.objects.get(pk=event.pk).ends_at == event.ends_at

    def test_a_start_that_would_close_booking_before_it_opens(self, now, reschedule):
        event = EventFactory(
            booking_opens_at=now + timedelta(days=10), booking_closes_at=now + timedelta(days=29)
        )
        with pytest.raises(BookingRefused, match="opens"):
            reschedule(event, event_date=event.event_date - timedelta(days=20), ends_at=None)
        assert Event.objects.get(pk=event.pk).event_date == event.event_date

    def test_a_cancelled_or_completed_event(self, event, reschedule, cancel_event):
        with pytest.raises(Closed):
            reschedule(EventFactory(status="completed"), place="The park")
        cancel_event(event)
        with pytest.raises(EventCancelled):
            reschedule(event, place="The park")

    def test_an_event_that_is_not_there(self, event, now):
        with pytest.raises(Event.DoesNotExist):
            services.reschedule(
                event_id=uuid4(),
                event_date=event.event_date,
                ends_at=None,
                time_zone="UTC",
                place="",
                online_url="",
                actor_id=None,
                now=now,
            )


class TestTellingOfChange:
    def test_is_due_two_minutes_after_the_first_change_in_one_job(self, event, book, reschedule, now):
        book(event, 1)
        reschedule(event, place="The park")
        reschedule(event, place="The hall", now=now + timedelta(minutes=1))
        job = EventJob.objects.get()
        assert (job.kind, job.due_at) == ("tell_of_change", now + TWO_MINUTES)
        assert services.run_jobs(now=now + TWO_MINUTES - timedelta(seconds=1)) == 0
        assert services.run_jobs(now=now + TWO_MINUTES) == 1
        assert len(news()) == 1

    def test_says_what_it_was_before_the_first_of_several_changes(self, event, book, reschedule, now):
        book(event, 1)
        reschedule(event, place="The park")
        reschedule(event, place="The hall")
        reschedule(event, ends_at=None)
        services.run_jobs(now=now + TWO_MINUTES)
        [message] = news()
        was = message.payload["change"]["was"]
        assert was["place"] == "Town hall"
        assert was["ends_at"].startswith(event.ends_at.strftime("%Y-%m-%dT%H:%M"))
        assert set(was) == {"place", "ends_at"}
        assert (message.payload["place"], message.payload["sequence"]) == ("The hall", 3)

    def test_reaches_everybody_who_is_booked_or_waits_once(self, event, book, reschedule, cancel, now):
        twice = UserFactory()
        book(event, 1, user=twice)
        book(event, 1, user=twice)
        gone = book(event, 1)
        cancel(gone)
        book(event, 8)
        waiting = book(event, 1, or_wait=True)
        reschedule(event, place="The park")
        services.run_jobs(now=now + TWO_MINUTES)
        told = [message.user_id for message in news()]
        assert len(told) == len(set(told)) == 3
        assert {twice.pk, waiting.user_id} < set(told)
        assert gone.user_id not in told

    def test_speaks_of_all_that_a_person_has_seats_first_and_not_of_what_they_give_back(
        self, db, book, reschedule, cancel, now, monkeypatch
    ):
        monkeypatch.setattr(telling, "PAGE", 1)
        event, person = EventFactory(total_slots=10, queue_rule="fill"), UserFactory()
        book(event, 8)
        waiting = book(event, 3, user=person, or_wait=True)
        first, second = book(event, 1, user=person), book(event, 1, user=person)
        reschedule(event, place="The park")
        services.run_jobs(now=now + TWO_MINUTES)

        def spoken_of():
            [message] = [message for message in news() if message.user_id == person.pk]
            return [(each["booking_id"], each.get("waits", False)) for each in message.bookings()]

        assert spoken_of() == [(str(first.pk), False), (str(second.pk), False), (str(waiting.pk), True)]
        cancel(first)
        assert spoken_of() == [(str(second.pk), False), (str(waiting.pk), True)]
        cancel(second)
        assert spoken_of() == [(str(waiting.pk), True)]

    def test_goes_on_where_it_was_cut_off(self, event, book, reschedule, now, monkeypatch):
        monkeypatch.setattr(telling, "PAGE", 2)
        people = [book(event, 1).user_id for _ in range(5)]
        reschedule(event, place="The park")
        job = EventJob.objects.get()
        assert telling.tell_of_change(job=job, now=now + TWO_MINUTES)
        assert len(news()) == 2
        services.run_jobs(now=now + TWO_MINUTES)
        assert [message.user_id for message in news()] == people
        assert not telling.tell_of_change(job=job, now=now + TWO_MINUTES)
        assert len(news()) == 5

    def test_begins_anew_for_everybody_when_the_event_moves_while_people_are_told(
        self, event, book, reschedule, now, monkeypatch
    ):
        monkeypatch.setattr(telling, "PAGE", 2)
        people = [book(event, 1).user_id for _ in range(4)]
        reschedule(event, place="The park")
        telling.tell_of_change(job=EventJob.objects.get(), now=now + TWO_MINUTES)
        reschedule(event, ends_at=None, now=now + TWO_MINUTES)
        services.run_jobs(now=now + TWO_MINUTES)
        assert len(news()) == 2
        services.run_jobs(now=now + 2 * TWO_MINUTES)
        assert {message.user_id for message in news()} == set(people)
        assert len(news()) == 4
        for message in news():
            assert message.payload["place"] == "The park"
            assert set(message.payload["change"]["was"]) == {"place", "ends_at"}

    def test_makes_another_job_for_a_change_after_people_were_told(self, event, book, reschedule, now):
        book(event, 1)
        reschedule(event, place="The park")
        services.run_jobs(now=now + TWO_MINUTES)
        deliver(Notification.objects.all(), at=now)
        reschedule(event, place="The hall", now=now + TWO_MINUTES)
        services.run_jobs(now=now + 2 * TWO_MINUTES)
        assert [message.payload["place"] for message in news()] == ["The park", "The hall"]
        assert news()[1].payload["change"]["was"] == {"place": "The park"}

    def test_rewrites_what_nobody_has_in_hand_yet(self, event, book, reschedule, now):
        for _ in range(3):
            book(event, 1)
        reschedule(event, place="The park")
        services.run_jobs(now=now + TWO_MINUTES)
        told, in_hand, _ = news()
        deliver(Notification.objects.filter(pk=told.pk), at=now)
        lease = now + timedelta(hours=1)
        Notification.objects.filter(pk=in_hand.pk).update(lease_until=lease)
        reschedule(event, place="The hall", now=now + TWO_MINUTES)
        services.run_jobs(now=now + 2 * TWO_MINUTES)
        by_person = {}
        for message in news():
            by_person.setdefault(message.user_id, []).append(message.payload["place"])
        assert sorted(by_person.values()) == [
            ["The hall"],
            ["The park", "The hall"],
            ["The park", "The hall"],
        ]

    def test_says_in_what_it_rewrites_what_was_before_all_of_it(self, event, book, reschedule, now):
        book(event, 1)
        reschedule(event, place="The park")
        services.run_jobs(now=now + TWO_MINUTES)
        Notification.objects.update(read_at=now)
        reschedule(event, place="The hall", ends_at=None, now=now + TWO_MINUTES)
        services.run_jobs(now=now + 2 * TWO_MINUTES)
        [message] = news()
        assert message.payload["change"]["was"]["place"] == "Town hall"
        assert set(message.payload["change"]["was"]) == {"place", "ends_at"}
        assert message.read_at is None
        assert message.created_at == now + 2 * TWO_MINUTES

    def test_has_nothing_to_tell_when_all_is_as_it_was(self, event, book, reschedule, now):
        book(event, 1)
        reschedule(event, place="The park")
        reschedule(event, place="Town hall", now=now + timedelta(minutes=1))
        assert services.run_jobs(now=now + TWO_MINUTES) == 1
        assert news() == []

    def test_tells_of_the_way_back_once_some_were_told_of_the_way_there(
        self, event, book, reschedule, now, monkeypatch
    ):
        monkeypatch.setattr(telling, "PAGE", 1)
        book(event, 1)
        book(event, 1)
        reschedule(event, place="The park")
        telling.tell_of_change(job=EventJob.objects.get(), now=now + TWO_MINUTES)
        deliver(Notification.objects.all(), at=now)
        reschedule(event, place="Town hall", now=now + TWO_MINUTES)
        services.run_jobs(now=now + 2 * TWO_MINUTES)
        assert sorted(message.payload["place"] for message in news()) == [
            "The park",
            "Town hall",
            "Town hall",
        ]

    def test_takes_the_place_of_a_reminder_that_waits(self, event, book, reschedule, now):
        person = book(event, 1).user_id
        reminder = Notification.objects.create(
            user_id=person, event_id=event.pk, type="event_reminder", due_at=now
        )
        reschedule(event, place="The park")
        services.run_jobs(now=now + TWO_MINUTES)
        reminder.refresh_from_db()
        assert (reminder.status, reminder.superseded_by) == ("delivered", news()[0].pk)

    def test_leaves_out_who_booked_after_the_change_and_knew_nothing_else(
        self, event, book, modify, reschedule, organizer, now
    ):
        again, changed, told_before = book(event, 1), book(event, 2), book(event, 1)
        reschedule(event, place="The park")
        services.resend(booking_id=again.pk, actor_id=organizer.pk, now=now)
        modify(changed, 1)
        book(event, 1, user=told_before.user)
        book(event, 1)
        reschedule(EventFactory(), place="The park")
        services.run_jobs(now=now + TWO_MINUTES)
        assert {message.user_id for message in news()} == {
            booking.user_id for booking in (again, changed, told_before)
        }

    def test_tells_who_booked_between_two_changes_of_the_second(self, event, book, reschedule, now):
        reschedule(event, place="The park")
        booking = book(event, 1)
        reschedule(event, place="The hall")
        services.run_jobs(now=now + TWO_MINUTES)
        assert [message.user_id for message in news()] == [booking.user_id]

    def test_leads_whoever_is_confirmed_to_the_event_online_and_keeps_that_from_who_waits(
        self, book, cancel, reschedule, now
    ):
        """Their calendar's entry would lose the link with the next message, if that did not carry it."""
        event = EventFactory(total_slots=2, place="", online_url=LINK)
        confirmed, waiting = book(event, 2), book(event, 1, or_wait=True)
        reschedule(event, ends_at=None, online_url=LINK + "/2")
        services.run_jobs(now=now + TWO_MINUTES)
        told = {message.user_id: message.payload for message in news()}
        assert told[confirmed.user_id]["online_url"] == LINK + "/2"
        assert told[confirmed.user_id]["change"]["was"]["online_url"] == LINK
        assert LINK not in str(told[waiting.user_id])
        assert set(told[waiting.user_id]["change"]["was"]) == {"ends_at"}

    def test_that_the_link_to_join_is_another_is_for_who_is_confirmed_alone(self, book, reschedule, now):
        event = EventFactory(total_slots=2, place="", online_url=LINK)
        confirmed, _ = book(event, 2), book(event, 1, or_wait=True)
        reschedule(event, online_url=LINK + "/2")
        assert Event.objects.get(pk=event.pk).sequence == 1
        services.run_jobs(now=now + TWO_MINUTES)
        [message] = news()
        assert message.user_id == confirmed.user_id
        assert Message.of(message).title == f"{event.title} has a new link to join"

    def test_leads_nobody_to_it_who_gave_their_seats_back_and_waits_with_another_party(
        self, book, cancel, reschedule, now
    ):
        event, person = EventFactory(total_slots=4, online_url=LINK), UserFactory()
        first = book(event, 1, user=person)
        book(event, 2)
        book(event, 3, user=person, or_wait=True)
        reschedule(event, place="The park")
        services.run_jobs(now=now + TWO_MINUTES)
        cancel(first)
        [message] = [message for message in news() if message.user_id == person.pk]
        assert message.payload["waits"]
        assert "online_url" not in message.payload

    def test_does_not_happen_for_a_draft(self, reschedule):
        reschedule(EventFactory(draft=True), place="The park")
        assert not EventJob.objects.exists()

    def test_does_not_happen_any_more_once_the_event_is_cancelled(
        self, event, book, reschedule, cancel_event, now
    ):
        book(event, 1)
        reschedule(event, place="The park")
        cancel_event(event)
        services.run_jobs(now=now + TWO_MINUTES)
        assert news() == []
        assert Notification.objects.filter(type="event_cancelled").count() == 1

    def test_leaves_the_bookings_and_their_history_alone(self, event, book, reschedule, now):
        book(event, 10)
        book(event, 2, or_wait=True)
        reschedule(event, place="The park")
        services.run_jobs(now=now + TWO_MINUTES)
        assert line_of(event.pk) == [(1, 2)]
        assert_sound(event.pk)
