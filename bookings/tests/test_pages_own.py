"""A person's own bookings: the list, each one's page, changing and giving back."""

import re
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from bookings import services
from bookings.models import Booking
from bookings.views import change
from events.models import Event
from tests.factories import EventFactory, UserFactory

pytestmark = pytest.mark.django_db
SOMEWHERE = "00000000-0000-7000-8000-000000000000"


def words(response) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def book(event, person=None, seats=1, **more) -> Booking:
    more.setdefault("now", timezone.now())
    person = person or UserFactory()
    return services.book(
        event_id=event.pk, user_id=person.pk, seats=None if "seat_nos" in more else seats, **more
    )


@pytest.fixture
def person(client):
    person = UserFactory()
    client.force_login(person)
    return person


class TestWhoSeesABooking:
    @pytest.mark.parametrize(
        ("method", "page"),
        [("get", ""), ("get", "modify/"), ("get", "cancel/"), ("post", "modify/"), ("post", "cancel/")],
    )
    def test_anothers_is_as_missing_as_one_that_never_was(self, client, person, method, page):
        booking = book(EventFactory())
        theirs = getattr(client, method)(f"/bookings/{booking.pk}/{page}", {"version": "1", "seats": "2"})
        missing = getattr(client, method)(f"/bookings/{SOMEWHERE}/{page}", {"version": "1", "seats": "2"})
        assert (theirs.status_code, missing.status_code) == (404, 404)
        assert words(theirs) == words(missing)
        booking.refresh_from_db()
        assert (booking.status, booking.seats) == ("confirmed", 1)

    @pytest.mark.parametrize("page", ["", "modify/", "cancel/"])
    def test_a_stranger_is_asked_to_sign_in_and_led_back(self, client, page):
        path = f"/bookings/{book(EventFactory()).pk}/{page}"
        assert client.get(path)["Location"] == f"/accounts/login/?next={path}"


class TestABookingsPage:
    def test_shows_the_seats_as_the_plan_names_them(self, client, person):
        booking = book(EventFactory(with_layout=True), person, seat_nos=[4, 5, 9])
        assert "Row A, seats 4–5; row B, seat 3" in words(client.get(f"/bookings/{booking.pk}/"))

    def test_greets_whoever_has_just_booked_and_nobody_later(self, client, person):
        event = EventFactory(total_slots=1)
        booking = book(event, person)
        waiting = book(event, person, or_wait=True)
        assert "You are going." in words(client.get(f"/bookings/{booking.pk}/"))
        assert "You are in line." in words(client.get(f"/bookings/{waiting.pk}/"))
        Booking.objects.update(created_at=timezone.now() - timedelta(minutes=3))
        for one in (booking, waiting):
            page = words(client.get(f"/bookings/{one.pk}/"))
            assert "You are going." not in page
            assert "You are in line." not in page

    def test_shows_the_place_in_line_and_the_rule(self, client, person):
        event = EventFactory(total_slots=1)
        book(event)
        book(event, or_wait=True)
        booking = book(event, person, or_wait=True)
        response = client.get(f"/bookings/{booking.pk}/")
        assert response.context["place"] == 2
        page = words(response)
        assert "of 2 parties in line" in page
        assert "Your waiting number is 2." in page
        assert "First in, first out." in page
        assert "Nobody. Should it happen, it will stand here with the reason." in page

    def test_says_who_was_let_past_by_size_and_rule_never_by_name(self, client, person):
        event = EventFactory(total_slots=5, queue_rule="fill")
        book(event, seats=4)
        booking = book(event, person, seats=2, or_wait=True)
        passing = UserFactory(name="Zacharias")
        book(event, passing, seats=1)
        page = words(client.get(f"/bookings/{booking.pk}/"))
        assert (
            "A party of 1 was confirmed before you, because it fitted into the seats that were free." in page
        )
        assert "Zacharias" not in page

    def test_says_who_was_let_past_by_the_organizer_and_why(self, client, person):
        event = EventFactory(total_slots=5)
        book(event, seats=3)
        booking = book(event, person, seats=3, or_wait=True)
        behind = book(event, seats=2, or_wait=True)
        services.promote(
            booking_id=behind.pk,
            reason="The speaker's family.",
            actor_id=UserFactory().pk,
            now=timezone.now(),
        )
        page = words(client.get(f"/bookings/{booking.pk}/"))
        assert "A party of 2 was confirmed before you by the organizer." in page
        assert "The speaker&#x27;s family." in page

    def test_shows_ten_who_passed_and_says_that_there_were_more(self, client, person):
        event = EventFactory(total_slots=20, queue_rule="fill")
        book(event, seats=8)
        booking = book(event, person, seats=14, or_wait=True)
        for _ in range(12):
            book(event)
        response = client.get(f"/bookings/{booking.pk}/")
        assert len(response.context["passings"]) == 10
        assert "There were more before these." in words(response)

    def test_tells_its_story(self, client, person):
        event = EventFactory(with_layout=True)
        booking = book(event, person, seats=3)
        booking = services.modify(
            booking_id=booking.pk, version=1, seats=2, actor_id=person.pk, now=timezone.now()
        )
        services.cancel(booking_id=booking.pk, actor_id=person.pk, now=timezone.now())
        response = client.get(f"/bookings/{booking.pk}/")
        assert [chapter.title for chapter in response.context["chapters"]] == [
            "Booked",
            "Changed",
            "Cancelled by you",
        ]
        page = words(response)
        assert "3 seats: row A, seats 1–3." in page
        assert "From 3 seats to 2 seats. Given back: row A, seat 3." in page

    def test_tells_of_a_promotion(self, client, person):
        event = EventFactory(total_slots=2)
        first = book(event, seats=2)
        booking = book(event, person, seats=2, or_wait=True)
        services.cancel(booking_id=first.pk, actor_id=first.user_id, now=timezone.now())
        page = words(client.get(f"/bookings/{booking.pk}/"))
        assert "Moved up from the waitlist" in page
        assert "it was your turn: 2 seats, seats 1–2." in page

    def test_says_that_the_event_is_cancelled_before_the_booking_is(self, client, person):
        event = EventFactory()
        booking = book(event, person)
        services.cancel_event(event_id=event.pk, reason="Rain.", actor_id=None, now=timezone.now())
        response = client.get(f"/bookings/{booking.pk}/")
        assert "This event is cancelled. Rain." in words(response)
        assert response.context["may_change"] is False

    @pytest.mark.django_db(transaction=True)  # which keeps the session in Redis
    def test_costs_one_question(self, client, person, django_assert_num_queries):
        """Who they are, the booking with its seats and how much they have not read, and its history."""
        booking = book(EventFactory(), person)
        client.get(f"/bookings/{booking.pk}/")
        with django_assert_num_queries(1):
            client.get(f"/bookings/{booking.pk}/")

    def test_costs_at_most_four_in_line(self, client, person, django_assert_max_num_queries):
        event = EventFactory(total_slots=20, queue_rule="fill")
        book(event, seats=8)
        booking = book(event, person, seats=14, or_wait=True)
        for _ in range(12):
            book(event)
        client.get(f"/bookings/{booking.pk}/")
        with django_assert_max_num_queries(4):
            client.get(f"/bookings/{booking.pk}/")


class TestTheList:
    def test_holds_ones_own_by_the_events_dates(self, client, person):
        now = timezone.now()
        later = EventFactory(title="Later", event_date=now + timedelta(days=9), ends_at=None)
        soon = EventFactory(title="Soon", event_date=now + timedelta(days=2), ends_at=None)
        for event in (later, soon):
            book(event, person)
        book(EventFactory(title="Theirs"))
        response = client.get("/bookings/")
        assert [booking.event.title for booking in response.context["page"]] == ["Soon", "Later"]

    def test_keeps_what_is_over_apart(self, client, person):
        event = EventFactory(title="Gone", event_date=timezone.now() + timedelta(days=1), ends_at=None)
        book(event, person)
        Event.objects.filter(pk=event.pk).update(event_date=timezone.now() - timedelta(days=3))
        assert list(client.get("/bookings/").context["page"]) == []
        assert [b.event.title for b in client.get("/bookings/", {"when": "past"}).context["page"]] == ["Gone"]

    def test_goes_on_by_key(self, client, person):
        for _ in range(25):
            book(EventFactory(), person)
        first = client.get("/bookings/").context["page"]
        second = client.get("/bookings/", {"after": first.later}).context["page"]
        assert (len(first), len(second)) == (20, 5)
        assert not {b.pk for b in first} & {b.pk for b in second}

    def test_says_when_there_is_nothing(self, client, person):
        assert "Nothing booked" in words(client.get("/bookings/"))
        assert "Nothing behind you yet" in words(client.get("/bookings/?when=past"))

    @pytest.mark.django_db(transaction=True)  # which keeps the session in Redis
    def test_costs_the_same_for_one_and_for_twenty(self, client, person, django_assert_num_queries):
        for bookings in (1, 19):
            for _ in range(bookings):
                book(EventFactory(), person)
            client.get("/bookings/")
            with django_assert_num_queries(3):
                client.get("/bookings/")


class TestCancelling:
    def test_asks_first(self, client, person):
        booking = book(EventFactory(), person)
        response = client.get(f"/bookings/{booking.pk}/cancel/")
        assert response.status_code == 200
        assert "What will happen" in words(response)
        booking.refresh_from_db()
        assert booking.is_confirmed

    def test_then_does_it(self, client, person):
        booking = book(EventFactory(), person)
        response = client.post(f"/bookings/{booking.pk}/cancel/", {"version": "1"})
        assert (response.status_code, response["Location"]) == (303, f"/bookings/{booking.pk}/")
        booking.refresh_from_db()
        assert booking.is_cancelled
        assert "Your booking is cancelled." in words(client.get(response["Location"]))

    def test_twice_is_once(self, client, person):
        booking = book(EventFactory(), person)
        for _ in range(2):
            assert client.post(f"/bookings/{booking.pk}/cancel/", {"version": "1"}).status_code == 303

    def test_one_that_changed_meanwhile_shows_how_it_is_now(self, client, person):
        booking = book(EventFactory(), person, seats=3)
        services.modify(booking_id=booking.pk, version=1, seats=2, actor_id=person.pk, now=timezone.now())
        response = client.post(f"/bookings/{booking.pk}/cancel/", {"version": "1"})
        assert response.status_code == 409
        assert "Your booking has changed since this page was opened." in words(response)
        assert 'name="version" value="2"' in response.content.decode()
        booking.refresh_from_db()
        assert booking.is_confirmed

    @pytest.mark.parametrize("version", ["", "x", "0", "9" * 30])
    def test_a_damaged_form_cancels_nothing(self, client, person, version):
        booking = book(EventFactory(), person)
        assert client.post(f"/bookings/{booking.pk}/cancel/", {"version": version}).status_code == 422
        booking.refresh_from_db()
        assert booking.is_confirmed

    def test_after_the_close_is_refused(self, client, person):
        event = EventFactory()
        booking = book(event, person)
        Event.objects.filter(pk=event.pk).update(booking_closes_at=timezone.now() - timedelta(hours=1))
        assert client.post(f"/bookings/{booking.pk}/cancel/", {"version": "1"}).status_code == 409
        response = client.get(f"/bookings/{booking.pk}/cancel/", follow=True)
        assert "cannot be changed any more" in words(response)

    def test_a_busy_database_keeps_the_form(self, client, person, monkeypatch):
        def busy(**request):
            raise OperationalError

        monkeypatch.setattr(change.services, "cancel", busy)
        booking = book(EventFactory(), person)
        response = client.post(f"/bookings/{booking.pk}/cancel/", {"version": "1"})
        assert response.status_code == 503
        assert 'name="version" value="1"' in response.content.decode()


class TestChanging:
    def test_gives_some_back(self, client, person):
        booking = book(EventFactory(), person, seats=3)
        response = client.post(f"/bookings/{booking.pk}/modify/", {"version": "1", "seats": "2"})
        assert response.status_code == 303
        booking.refresh_from_db()
        assert (booking.seats, booking.version) == (2, 2)

    def test_swaps_seats_on_the_map_where_ones_own_are_ticked(self, client, person):
        event = EventFactory(with_layout=True)
        booking = book(event, person, seat_nos=[4])
        page = client.get(f"/bookings/{booking.pk}/modify/").content.decode()
        assert 'value="4" aria-label="Row A, seat 4" checked>' in page
        client.post(f"/bookings/{booking.pk}/modify/", {"version": "1", "seat_no": ["9"]})
        assert list(booking.booked_seats.booked().values_list("seat_no", flat=True)) == [9]

    def test_more_than_there_is_offers_to_queue_the_difference(self, client, person):
        event = EventFactory(total_slots=4)
        booking = book(event, person, seats=2)
        book(event)
        response = client.post(f"/bookings/{booking.pk}/modify/", {"version": "1", "seats": "4"})
        assert response.status_code == 409
        assert "Wait in line for 2 more seats" in words(response)
        booking.refresh_from_db()
        assert booking.seats == 2
        offer = response.context["missing"]
        answer = client.post(
            f"/events/{event.pk}/book/",
            {"seats": offer.asked, "or_wait": "on", "idempotency_key": response.context["key"]},
        )
        assert answer.status_code == 303
        assert Booking.objects.waiting().get().seats == 2

    def test_while_waiting_takes_a_number_only(self, client, person):
        event = EventFactory(with_layout=True)
        book(event, seats=10)
        booking = book(event, person, seats=2, or_wait=True)
        response = client.get(f"/bookings/{booking.pk}/modify/")
        assert response.context["map"] is None
        assert "With fewer seats you keep your place in line." in words(response)
        assert (
            client.post(f"/bookings/{booking.pk}/modify/", {"version": "1", "seats": "1"}).status_code == 303
        )

    @pytest.mark.parametrize(
        ("fields", "status"),
        [
            ({"seats": "0"}, 422),
            ({"seats": "51"}, 422),
            ({"seats": "many"}, 422),
            ({"seats": "11"}, 422),
            ({"seat_no": ["99"]}, 422),
            ({"seat_no": ["2", "2"]}, 422),
            ({"seat_no": ["10"]}, 409),
            ({"seats": "2", "version": "7"}, 409),
            ({"seats": "2", "version": "x"}, 422),
            ({}, 422),
        ],
    )
    def test_what_cannot_be_leaves_it_as_it_was(self, client, person, fields, status):
        event = EventFactory(with_layout=True)
        booking = book(event, person, seats=2)
        services.book(event_id=event.pk, user_id=UserFactory().pk, seat_nos=[10], now=timezone.now())
        response = client.post(f"/bookings/{booking.pk}/modify/", {"version": "1", **fields})
        assert response.status_code == status
        assert "Nothing was booked or changed." in words(response)
        booking.refresh_from_db()
        assert (booking.seats, booking.version) == (2, 1)

    def test_a_cancelled_one_leads_back_to_its_page(self, client, person):
        booking = book(EventFactory(), person)
        services.cancel(booking_id=booking.pk, actor_id=person.pk, now=timezone.now())
        assert client.get(f"/bookings/{booking.pk}/modify/")["Location"] == f"/bookings/{booking.pk}/"
        response = client.post(f"/bookings/{booking.pk}/modify/", {"version": "2", "seats": "2"})
        assert response.status_code == 409
