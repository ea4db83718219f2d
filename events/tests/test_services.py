from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from django.utils import timezone

from events import services
from events.models import Event
from events.services import EventRefused, copy_event
from notifications.models import Notification
from tests.factories import EventFactory, OrganizationFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("as_the_application")]

PLAN = {"sections": [{"name": "Stalls", "rows": [{"label": "A", "seats": 6}, {"label": "B", "seats": 4}]}]}


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def create(now):
    org = OrganizationFactory()

    def creating(**facts):
        defaults = {"title": "Open air", "event_date": now + timedelta(days=30), "total_slots": 10}
        return services.create_event(org_id=org.pk, now=now, **{**defaults, **facts})

    return creating


class TestCreateEvent:
    def test_makes_a_draft(self, create):
        event = create()
        assert (event.is_published, event.status, event.version) == (False, "upcoming", 1)

    def test_begins_with_every_seat_free_whatever_is_claimed(self, create):
        event = create(available_slots=3)
        assert (event.available_slots, event.is_bookable) == (10, True)

    def test_publishes_it_at_once_where_asked_to(self, create, now):
        assert create(published=True).published_at == now

    def test_takes_the_seats_of_the_plan(self, create):
        assert create(layout=PLAN, total_slots=None).total_slots == 10

    def test_may_use_fewer_than_the_plan_has(self, create):
        assert create(layout=PLAN, total_slots=7).total_slots == 7

    @pytest.mark.parametrize(
        "facts",
        [
            {"total_slots": 0},
            {"total_slots": -5},
            {"total_slots": None},
            {"layout": PLAN, "total_slots": 11},
            {"layout": {"sections": []}},
        ],
        ids=str,
    )
    def test_refuses_seats_that_cannot_be(self, create, facts):
        with pytest.raises(EventRefused):
            create(**facts)
        assert not Event.objects.exists()

    def test_refuses_times_that_do_not_fit(self, create, now):
        day = now + timedelta(days=1)
        with pytest.raises(EventRefused, match="end after it starts"):
            create(event_date=day, ends_at=day)
        with pytest.raises(EventRefused, match="close after it opens"):
            create(booking_opens_at=day, booking_closes_at=day)


class TestEditDraft:
    def test_changes_anything(self, create, now):
        event = services.edit_draft(event_id=create().pk, title="Indoors", total_slots=4, queue_rule="fill")
        event.refresh_from_db()
        assert (event.title, event.total_slots, event.available_slots) == ("Indoors", 4, 4)
        assert event.queue_rule == "fill"

    def test_takes_the_seats_of_a_new_plan_if_it_has_fewer(self, create):
        event = create(total_slots=8)
        assert services.edit_draft(event_id=event.pk, layout=PLAN, total_slots=None).total_slots == 10

    def test_refuses_a_published_event(self, create):
        event = create(published=True)
        with pytest.raises(EventRefused, match="published"):
            services.edit_draft(event_id=event.pk, title="Indoors")
        assert Event.objects.get(pk=event.pk).title == "Open air"

    def test_refuses_what_create_refuses(self, create):
        event = create()
        with pytest.raises(EventRefused):
            services.edit_draft(event_id=event.pk, ends_at=event.event_date)
        with pytest.raises(EventRefused):
            services.edit_draft(event_id=event.pk, total_slots=0)


class TestPublish:
    def test_makes_the_event_visible_from_now_on(self, create, now):
        event = create()
        assert event not in Event.objects.listed()
        services.publish(event_id=event.pk, now=now)
        assert event in Event.objects.listed()

    def test_a_second_time_changes_nothing(self, create, now):
        event = create()
        services.publish(event_id=event.pk, now=now)
        again = services.publish(event_id=event.pk, now=now + timedelta(hours=1))
        assert again.published_at == now

    def test_tells_nobody(self, create, now):
        services.publish(event_id=create().pk, now=now)
        assert not Notification.objects.exists()


class TestAdvance:
    @pytest.fixture
    def event(self, now):
        return EventFactory(event_date=now, ends_at=now + timedelta(hours=2))

    def test_lets_an_event_begin_when_it_starts(self, event, now):
        assert services.advance(now=now - timedelta(seconds=1)) == {"completed": 0, "ongoing": 0}
        assert services.advance(now=now) == {"completed": 0, "ongoing": 1}
        assert Event.objects.get().status == "ongoing"

    def test_lets_it_end_when_it_ends(self, event, now):
        services.advance(now=now)
        assert services.advance(now=now + timedelta(hours=2)) == {"completed": 1, "ongoing": 0}
        assert Event.objects.get().status == "completed"

    def test_lets_one_that_nobody_saw_begin_end_at_once(self, event, now):
        assert services.advance(now=now + timedelta(days=1)) == {"completed": 1, "ongoing": 0}

    def test_ends_one_that_names_no_end_three_hours_after_it_began(self, now):
        EventFactory(event_date=now, ends_at=None)
        assert services.advance(now=now + timedelta(hours=2, minutes=59))["ongoing"] == 1
        assert services.advance(now=now + timedelta(hours=3))["completed"] == 1

    def test_leaves_what_is_final(self, now):
        EventFactory(event_date=now, status="cancelled")
        EventFactory(event_date=now, status="completed")
        assert services.advance(now=now + timedelta(days=1)) == {"completed": 0, "ongoing": 0}

    def test_does_a_page_a_transaction(self, now, monkeypatch):
        monkeypatch.setattr(services, "PAGE", 2)
        for _ in range(5):
            EventFactory(event_date=now, ends_at=now + timedelta(hours=1))
        assert services.advance(now=now)["ongoing"] == 5
        assert services.advance(now=now + timedelta(hours=1))["completed"] == 5


class TestEveryService:
    def test_refuses_to_become_half_of_somebody_else_s_transaction(self, create, now):
        event = create()
        calls = [
            create,
            lambda: services.edit_draft(event_id=event.pk, title="Indoors"),
            lambda: services.publish(event_id=event.pk, now=now),
            lambda: services.advance(now=now),
        ]
        for call in calls:
            with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
                call()


class TestSavingAnEvent:
    """A form that was opened before a sale and is saved after it takes nothing back."""

    def test_writes_the_organizer_s_words_only(self, create, now):
        event = create(published=True)
        event.title, event.total_slots, event.status = "Indoors", 99, "cancelled"
        event.published_at = event.event_date = event.last_waiting_number = None
        event.save()
        stored = Event.objects.get(pk=event.pk)
        assert (stored.title, stored.total_slots, stored.status) == ("Indoors", 10, "upcoming")
        assert stored.published_at == now

    def test_ignores_a_counter_that_is_written_by_hand(self, create):
        event = create()
        Event.objects.filter(pk=event.pk).update(available_slots=3, is_bookable=False)
        event.refresh_from_db()
        assert (event.available_slots, event.is_bookable) == (10, True)


class TestADraftWhoseDateHasPassed:
    def test_is_not_ended_for_good(self):
        now = timezone.now()
        draft = EventFactory(draft=True, event_date=now - timedelta(days=2), ends_at=None)
        services.advance(now=now)
        draft.refresh_from_db()
        assert draft.status == "upcoming"


class TestTimesThatNoClockShows:
    @pytest.mark.parametrize("year", [1, 1899, 9999])
    def test_are_refused(self, year):
        org = OrganizationFactory()
        starts = timezone.now().replace(year=year, month=3, day=1)
        with pytest.raises(EventRefused, match="between the years"):
            services.create_event(
                org_id=org.pk, now=timezone.now(), title="Far", event_date=starts, total_slots=5
            )

    def test_that_stand_all_the_same_take_no_page_down(self, client):
        event = EventFactory(time_zone="Asia/Tokyo")
        end_of_time = timezone.now().replace(year=9999, month=12, day=31, hour=23)
        Event.objects.filter(pk=event.pk).update(ends_at=end_of_time)
        for page in ("/events/", "/events.ics", f"/events/{event.pk}/", f"/events/{event.pk}/event.ics"):
            assert client.get(page).status_code == 200


class TestSeats:
    def test_are_at_most_as_many_as_a_plan_may_have(self):
        org = OrganizationFactory()
        with pytest.raises(EventRefused, match="1,000,000"):
            services.create_event(
                org_id=org.pk,
                now=timezone.now(),
                title="Vast",
                event_date=timezone.now(),
                total_slots=1_000_001,
            )


class TestCopyEvent:
    def test_makes_a_draft_with_the_same_facts(self, now):
        event = EventFactory(with_layout=True, queue_rule="fill", max_seats_per_person=4)
        copied = copy_event(event_id=event.pk, title="Again", event_date=event.event_date + timedelta(days=7))
        assert not copied.is_published
        assert (copied.title, copied.org_id, copied.layout) == ("Again", event.org_id, event.layout)
        assert (copied.queue_rule, copied.max_seats_per_person, copied.total_slots) == ("fill", 4, 10)

    def test_keeps_its_hours_when_the_clocks_have_changed_in_between(self):
        berlin = ZoneInfo("Europe/Berlin")
        starts = datetime(2031, 3, 28, 19, tzinfo=berlin)
        event = EventFactory(
            event_date=starts,
            ends_at=datetime(2031, 3, 28, 22, tzinfo=berlin),
            booking_opens_at=datetime(2031, 3, 21, 9, tzinfo=berlin),
        )
        copied = copy_event(
            event_id=event.pk, title="Again", event_date=datetime(2031, 4, 4, 19, tzinfo=berlin)
        )
        assert copied.ends_at == datetime(2031, 4, 4, 22, tzinfo=berlin)
        assert copied.booking_opens_at == datetime(2031, 3, 28, 9, tzinfo=berlin)
