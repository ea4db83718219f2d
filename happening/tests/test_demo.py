"""`manage.py demo`: what a fresh checkout shows. Made once for this module, and killed on the way."""

import os
from collections import Counter
from datetime import timedelta
from io import StringIO

import pytest
from allauth.account.models import EmailAddress
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from bookings.models import Booking, BookingHistory
from events.models import Event
from events.seating import Layout
from happening.demo import crowd, making, people
from happening.demo.programme import programme
from happening.demo.rooms import ROOMS
from notifications.models import Notification
from orgs.models import Membership, Organization, User
from tests.truth import assert_sound, assert_told_of_every_change


def demo(**options):
    said = StringIO()
    call_command("demo", **options, stdout=said)
    return said.getvalue().splitlines()


class Killed(BaseException):
    pass


@pytest.fixture(scope="module")
def said(django_db_setup, django_db_blocker):
    """What the run said that finished the demo; the one before was killed in its third event."""
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        book, calls = crowd.Stage.book, Counter()

        def dies(stage, *args, **kwargs):
            calls[stage.planned.key] += 1
            if len(calls) == 3 and calls[stage.planned.key] == 4:
                raise Killed
            return book(stage, *args, **kwargs)

        patch.setattr(crowd.Stage, "book", dies)
        with pytest.raises(Killed):
            demo()
        patch.undo()
        yield demo()
        call_command("flush", interactive=False, verbosity=0)


@pytest.fixture
def events(said, db):
    return {event.source_uid.removeprefix("demo:"): event for event in Event.objects.order_by("pk")}


@pytest.fixture
def uma(said, db):
    """Uma's bookings by the event's key."""
    bookings = Booking.objects.filter(user__email="uma@example.test").select_related("event")
    return {booking.event.source_uid.removeprefix("demo:"): booking for booking in bookings}


class TestProgramme:
    def test_has_some_forty_events_of_two_organizations(self, events):
        assert Counter(event.org.slug for event in events.values()) == {"acme": 22, "globex": 21}

    def test_has_events_of_every_category_in_many_time_zones(self, events):
        assert {event.category for event in events.values()} == set(Event.Category.values)
        assert len({event.time_zone for event in events.values()}) >= 10

    def test_has_what_was_is_and_will_be_and_what_was_called_off(self, events):
        assert {event.status for event in events.values()} == set(Event.Status.values)

    def test_has_drafts_and_events_that_not_everybody_sees(self, events):
        assert Counter(event.visibility for event in events.values())["unlisted"] == 1
        assert Counter(event.visibility for event in events.values())["members"] == 2
        assert [key for key, event in events.items() if not event.is_published] == [
            "spring-festival",
            "autumn-school",
        ]

    def test_describes_each_event_in_paragraphs(self, events):
        for event in events.values():
            assert 2 <= len(event.description.split("\n\n")) <= 4, event.title
            assert len(event.description) > 200, event.title

    def test_fills_a_hall_of_five_thousand_seats_by_two_fifths(self, events):
        hall = events["night-shift"]
        assert [section.name for section in hall.seating.sections] == ["Stalls", "Circle", "Balcony"]
        assert hall.total_slots == hall.seating.seats == 5000
        assert 0.3 < 1 - hall.available_slots / hall.total_slots < 0.45

    def test_has_an_event_not_open_yet_and_two_that_close_soon(self, events):
        assert events["makers-market"].booking_opens_at > timezone.now()
        soon = timezone.now() + timedelta(hours=10)
        assert [key for key, event in events.items() if event.booking_closes_at] == [
            "screen-printing",
            "staff-engineer",
        ]
        assert all(event.booking_closes_at < soon for event in events.values() if event.booking_closes_at)

    def test_sells_out_with_a_waitlist_and_without_one(self, events):
        assert events["balkan-brass"].available_slots == 0
        assert not events["balkan-brass"].waitlist
        for key, rule in {
            "sharpen-everything": "strict",
            "small-robots": "strict",
            "office-hours": "fill",
        }.items():
            event = events[key]
            assert (event.available_slots, event.queue_rule) == (0, rule)
            assert event.bookings.waiting().exists()

    def test_leaves_every_event_sound_and_everybody_told(self, events):
        for event in events.values():
            assert_sound(event.pk)
            assert_told_of_every_change(event.pk)

    def test_tells_its_history_in_the_past_and_in_order(self, events):
        now = timezone.now()
        assert not Booking.objects.filter(created_at__gt=now).exists()
        for event in events.values():
            assert all(booking.created_at >= event.published_at for booking in event.bookings.all())
        assert {"created", "cancelled", "promoted", "modified"} == set(
            BookingHistory.objects.values_list("action", flat=True)
        )
        assert not Notification.objects.filter(due_at__gt=now).exists()

    def test_says_what_it_made(self, said, db):
        assert said[-2].startswith("The demo data is there: 43 events, 1,")
        assert said[-1].strip() == ", ".join(people.ACCOUNTS)


class TestUma:
    def test_sits_in_the_middle_of_the_circle(self, uma):
        booking = uma["night-shift"]
        labels = [booking.event.seating.label(seat.seat_no) for seat in booking.booked_seats.booked()]
        assert sorted(labels)[0] == "Circle, row D, seat 21"
        assert len(labels) == 4

    def test_waits_and_was_passed_by_a_smaller_party(self, uma):
        booking = uma["symphony-of-a-city"]
        assert booking.is_waiting
        passing = BookingHistory.objects.passing(
            event_id=booking.event_id, number=booking.waiting_number, since=booking.created_at
        )
        assert [entry.details["seats"] for entry in passing] == [2]

    def test_was_promoted_from_the_line(self, uma):
        booking = uma["letterpress"]
        assert booking.is_confirmed
        actions = BookingHistory.objects.of_booking(booking.pk).values_list("action", flat=True)
        assert list(actions) == ["created", "promoted"]

    def test_has_cancelled_and_was_cancelled_and_has_been_to_something(self, uma):
        assert uma["build-a-radio"].is_cancelled
        assert uma["modular-weekend"].is_cancelled
        assert uma["modular-weekend"].event.cancellation_reason.startswith("Our instructor")
        assert uma["piano-at-noon"].event.status == Event.Status.COMPLETED

    def test_was_told_of_an_event_that_moved(self, uma):
        told = Notification.objects.filter(user__email="uma@example.test", type="event_updated")
        assert told.get().payload["change"]["was"]["place"].startswith("Rehearsal room")
        assert uma["choir"].event.place.startswith("Dance studio")


class TestPeople:
    @pytest.mark.parametrize("email", people.ACCOUNTS)
    def test_sign_in_at_once(self, said, db, email):
        assert Client().login(email=email, password="happening-demo")
        address = EmailAddress.objects.get(email=email)
        assert (address.verified, address.primary) == (True, True)

    def test_have_their_roles(self, said, db):
        roles = Membership.objects.exclude(role="user").values_list(
            "user__email", "organization__slug", "role"
        )
        assert set(roles) == {
            ("ada@acme.test", "acme", "orgAdmin"),
            ("otto@acme.test", "acme", "organizer"),
            ("olga@globex.test", "globex", "orgAdmin"),
        }
        assert [user.email for user in User.objects.filter(is_platform_staff=True)] == ["root@happening.test"]

    def test_are_many_and_the_others_cannot_sign_in(self, said, db):
        guests = User.objects.exclude(email__in=people.ACCOUNTS)
        assert 60 <= guests.count() <= 150
        assert not any(guest.has_usable_password() for guest in guests)


class TestCommand:
    def test_changes_nothing_the_second_time(self, events):
        before = (Booking.objects.count(), BookingHistory.objects.count(), Notification.objects.count())
        assert demo() == ["The demo data is already there."]
        assert (
            Booking.objects.count(),
            BookingHistory.objects.count(),
            Notification.objects.count(),
        ) == before

    def test_refuses_outside_development(self, db, settings):
        settings.DEVELOPMENT = False
        with pytest.raises(CommandError, match="in development only"):
            demo()

    def test_refuses_to_fill_somebodys_own_organization(self, said, db):
        Organization.objects.filter(slug="acme").update(settings={})
        with pytest.raises(CommandError, match="is not the demo's"):
            demo()

    def test_makes_people_who_are_signed_in(self, db, tmp_path, settings):
        path = tmp_path / "sessions.txt"
        demo(people=3, sessions=str(path))
        demo(people=3, sessions=str(path))
        keys = path.read_text().split()
        assert len(keys) == 3
        assert os.stat(path).st_mode & 0o077 == 0
        client = Client()
        client.cookies[settings.SESSION_COOKIE_NAME] = keys[1]
        assert client.get("/healthz").wsgi_request.user.email == "p2@load.test"
        assert User.objects.filter(email__endswith="@load.test").count() == 3

    @pytest.mark.parametrize("options", [{"people": 3}, {"sessions": "x"}, {"people": 0, "sessions": "x"}])
    def test_says_what_it_needs_for_that(self, db, options):
        with pytest.raises(CommandError):
            demo(**options)


class TestDates:
    @pytest.mark.parametrize("hour", [0, 5, 12, 18, 23])
    @pytest.mark.parametrize("day", [1, 28, 95, 200, 300, 363])
    def test_fit_on_any_day_at_any_hour(self, day, hour):
        now = timezone.now().replace(month=1, day=1, hour=hour, minute=59) + timedelta(days=day)
        for planned in [*programme("acme", made_at=now), *programme("globex", made_at=now)]:
            facts = planned.facts()
            assert planned.starts_at < planned.ends_at
            assert planned.is_draft or planned.opened_at < planned.settled_at, planned.key
            assert not planned.closes_at or now < planned.closes_at < planned.starts_at, planned.key
            past = planned.written["day"] < -2
            assert (planned.ends_at < now) == past, planned.key
            assert facts["total_slots"] > 0

    def test_keep_an_ongoing_event_going_all_day(self):
        for hour in range(24):
            now = timezone.now().replace(hour=hour)
            ongoing = [p.key for p in programme("globex", made_at=now) if p.starts_at < now < p.ends_at]
            assert ongoing == ["demo:open-data-48"]


class TestRooms:
    @pytest.mark.parametrize("name", ROOMS)
    def test_are_plans_that_can_be_built(self, name):
        assert Layout.parse(ROOMS[name].layout).seats == ROOMS[name].slots

    def test_have_the_guests_names_and_addresses_apart(self):
        addresses = [email for _, email in people.guests()]
        assert len(addresses) == len(set(addresses))
        assert making.ORGANIZATIONS.keys() == people.MEMBERS.keys()
