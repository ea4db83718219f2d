"""Booking through the form: every answer has its status, says what to do next, and changes what it says."""

import re
import time
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from bookings import services
from bookings.combining import TurnNeverCame, Turns
from bookings.models import Booking
from bookings.views import book as book_view
from events.models import Event
from orgs.models import User
from tests.factories import EventFactory, UserFactory

pytestmark = pytest.mark.django_db


def words(response) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def fill(event, seats, **more):
    return services.book(event_id=event.pk, user_id=UserFactory().pk, seats=seats, now=timezone.now(), **more)


@pytest.fixture
def person(client):
    person = UserFactory()
    client.force_login(person)
    return person


@pytest.fixture
def send(client, person):
    """Send the booking form of an event."""

    def send(event, *, to=client, **fields):
        return to.post(f"/events/{event.pk}/book/", {"idempotency_key": str(uuid4()), **fields})

    return send


class TestBooking:
    def test_leads_to_the_booking(self, send, person):
        response = send(EventFactory(), seats="2")
        booking = Booking.objects.get()
        assert response.status_code == 303
        assert response["Location"] == f"/bookings/{booking.pk}/"
        assert (booking.user_id, booking.seats, booking.status) == (person.pk, 2, "confirmed")

    def test_is_asked_for_with_the_moment_at_which_the_request_came(self, send, monkeypatch):
        """Not with that at which its person had been looked up, which takes some longer than others."""
        came, load, ask = [], User.is_active.fget, Turns.ask

        def looked_up(user):
            came.append(time.monotonic())
            return load(user)

        def asking(turns, key, request, *, arrived):
            came.append(arrived)
            return ask(turns, key, request, arrived=arrived)

        monkeypatch.setattr(User, "is_active", property(looked_up))
        monkeypatch.setattr(Turns, "ask", asking)
        before = time.monotonic()
        assert send(EventFactory(), seats="1").status_code == 303
        person, *_, arrived = came
        assert before < arrived < person

    def test_takes_the_seats_ticked_on_the_map(self, send):
        event = EventFactory(with_layout=True)
        send(event, seat_no=["9", "4"])
        assert sorted(event.booked_seats.values_list("seat_no", flat=True)) == [4, 9]

    def test_waits_with_consent(self, send):
        event = EventFactory(total_slots=2)
        fill(event, 2)
        assert send(event, seats="1", or_wait="on").status_code == 303
        assert Booking.objects.waiting().count() == 1

    def test_sent_twice_books_once_and_shows_the_same_booking(self, send):
        event, key = EventFactory(), str(uuid4())
        first = send(event, seats="2", idempotency_key=key)
        again = send(event, seats="2", idempotency_key=key)
        assert first["Location"] == again["Location"]
        assert Booking.objects.count() == 1

    def test_does_without_a_key(self, client, person):
        event = EventFactory()
        assert client.post(f"/events/{event.pk}/book/", {"seats": "1"}).status_code == 303

    def test_opened_as_an_address_leads_to_the_event(self, client, person):
        event = EventFactory()
        assert client.get(f"/events/{event.pk}/book/")["Location"] == f"/events/{event.pk}/"

    def test_by_a_stranger_leads_to_the_sign_in_and_back_to_the_event(self, send):
        event = EventFactory()
        response = send(event, to=Client(), seats="1")
        assert response.status_code == 302
        assert response["Location"] == f"/accounts/login/?next=/events/{event.pk}/"
        assert not Booking.objects.exists()


class TestAFormThatCannotBe:
    @pytest.mark.parametrize(
        ("fields", "sentence"),
        [
            ({"seats": "0"}, "Book at least one seat."),
            ({"seats": "-3"}, "Book at least one seat."),
            ({"seats": "51"}, "One booking can hold at most 50 seats."),
            ({"seats": "9" * 40}, "One booking can hold at most 50 seats."),
            ({"seats": "many"}, "Write the number of seats in digits"),
            ({"seats": "1_0"}, "Write the number of seats in digits"),
            ({"seats": "1", "seat_no": ["1", "2"]}, "You asked for 1 seat and chose 2"),
            ({"seats": "2.5"}, "Write the number of seats in digits"),
            ({}, "Say how many seats you want, or choose them on the map."),
            ({"seats": ""}, "Say how many seats you want, or choose them on the map."),
            ({"seat_no": ["x"]}, "There is no seat “x”."),
            ({"seat_no": ["²"]}, "There is no seat “²”."),
            ({"seat_no": ["-1"]}, "There is no seat “-1”."),
            ({"seat_no": ["9" * 30]}, "There is no seat"),
            ({"seat_no": ["0"]}, "There is no seat 0 at this event."),
            ({"seat_no": ["11"]}, "There is no seat 11 at this event."),
            ({"seat_no": ["3", "3"]}, "Seat 3 was chosen twice."),
            ({"seats": "3", "seat_no": ["1", "2"]}, "You asked for 3 seats and chose 2."),
            ({"seats": "11"}, "One booking for this event can hold at most 10 seats."),
            ({"seat_no": [str(n) for n in range(1, 60)]}, "One booking can hold at most 50 seats"),
            ({"seats": "1", "idempotency_key": "again"}, "This form was damaged on its way."),
        ],
    )
    def test_is_said_so_and_nothing_is_booked(self, send, fields, sentence):
        event = EventFactory(with_layout=True)
        response = send(event, **fields)
        assert response.status_code == 422
        assert sentence in words(response)
        assert "Nothing was booked or changed." in words(response)
        assert 'name="idempotency_key"' in response.content.decode()
        assert not Booking.objects.exists()

    def test_is_a_key_that_was_used_for_something_else(self, send):
        event, key = EventFactory(), str(uuid4())
        first = send(event, seats="1", idempotency_key=key)
        response = send(event, seats="2", idempotency_key=key)
        assert response.status_code == 422
        assert "This form was already sent with other choices." in words(response)
        assert first["Location"] in response.content.decode()
        assert Booking.objects.count() == 1


class TestWhatCannotBeHadAsThingsStand:
    def test_too_few_seats_offers_the_fewer_and_the_line(self, send):
        event = EventFactory(total_slots=5)
        fill(event, 3)
        response = send(event, seats="4")
        page = words(response)
        assert response.status_code == 409
        assert "There are only 2 seats left that you could book now." in page
        assert "Book the 2 seats that are left" in page
        assert "Join the waitlist for 4 seats" in page
        assert Booking.objects.count() == 1

    def test_both_offers_can_be_taken(self, client, send):
        event = EventFactory(total_slots=5)
        fill(event, 3)
        fewer, wait = send(event, seats="4").context["ways_on"]
        answer = send(event, seats=fewer.seats, idempotency_key=fewer.key)
        assert client.get(answer["Location"]).context["booking"].is_confirmed
        answer = send(event, seats=wait.seats, or_wait="on", idempotency_key=wait.key)
        assert client.get(answer["Location"]).context["booking"].is_waiting

    def test_without_a_waitlist_offers_the_fewer_alone(self, send):
        event = EventFactory(total_slots=3, waitlist=False)
        fill(event, 2)
        [way] = send(event, seats="2", or_wait="on").context["ways_on"]
        assert (way.seats, way.or_wait) == (1, False)

    def test_the_last_seat_gone_meanwhile_says_so(self, send):
        event = EventFactory(total_slots=2, waitlist=False)
        fill(event, 2)
        response = send(event, seats="1")
        assert response.status_code == 409
        assert "There is no seat left that you could book now." in words(response)

    def test_the_page_is_as_things_are_after_the_refusal(self, send, monkeypatch):
        event = EventFactory(total_slots=2, waitlist=False)
        real = services.book

        def overtaken(**request):
            real(event_id=event.pk, user_id=UserFactory().pk, seats=2, now=timezone.now())
            return real(**request)

        monkeypatch.setattr(book_view.services, "book", overtaken)
        assert "All 2 seats are taken" in words(send(event, seats="1"))

    def test_taken_seats_bring_the_map_as_it_is_now_with_the_others_still_ticked(self, send):
        event = EventFactory(with_layout=True)
        services.book(event_id=event.pk, user_id=UserFactory().pk, seat_nos=[7], now=timezone.now())
        response = send(event, seat_no=["7", "8"])
        page = response.content.decode()
        assert response.status_code == 409
        assert "One of the seats you chose has just been taken." in words(response)
        assert 'value="7" aria-label="Row B, seat 1, taken" disabled>' in page
        assert 'value="8" aria-label="Row B, seat 2" checked>' in page
        assert Booking.objects.count() == 1

    def test_named_seats_with_a_claim_on_them_offer_the_line(self, send):
        event = EventFactory(total_slots=3)
        fill(event, 2)
        fill(event, 2, or_wait=True)
        response = send(event, seat_no=["3"])
        assert response.status_code == 409
        assert "People are waiting in line" in words(response)
        assert "Join the waitlist for 1 seat" in words(response)

    def test_ones_own_limit(self, send):
        event = EventFactory(max_seats_per_person=3)
        send(event, seats="2")
        response = send(event, seats="2")
        assert response.status_code == 409
        assert "Each person may hold up to 3 seats of this event; you hold 2 already." in words(response)

    @pytest.mark.parametrize(
        ("facts", "sentence"),
        [
            ({"booking_opens_at": timedelta(days=1)}, "Booking opens soon"),
            ({"booking_closes_at": timedelta(hours=-1)}, "Booking has closed"),
            ({"event_date": timedelta(days=-2), "ends_at": timedelta(days=-1)}, "This event is over"),
        ],
    )
    def test_the_wrong_time(self, send, facts, sentence):
        now = timezone.now()
        event = EventFactory(**{name: now + distance for name, distance in facts.items()})
        response = send(event, seats="1")
        assert response.status_code == 409
        assert sentence in words(response)
        assert not Booking.objects.exists()

    def test_a_cancelled_event(self, send):
        event = EventFactory()
        services.cancel_event(event_id=event.pk, reason="Rain.", actor_id=None, now=timezone.now())
        response = send(event, seats="1")
        assert response.status_code == 409
        assert "This event is cancelled" in words(response)

    def test_an_organization_that_takes_no_bookings(self, send, person):
        event = EventFactory()
        send(event, seats="1")
        event.org.status = "suspended"
        event.org.save()
        response = send(event, seats="1")
        assert response.status_code == 409
        assert "Not bookable at the moment" in words(response)


class TestWhatIsNotThere:
    @pytest.mark.parametrize("hidden", [{"published_at": None}, {"visibility": "members"}, {"org": None}])
    def test_cannot_be_booked(self, send, hidden):
        assert send(EventFactory(**hidden), seats="1").status_code == 404
        assert not Booking.objects.exists()

    def test_an_unknown_event_is_a_404(self, client, person):
        response = client.post("/events/00000000-0000-7000-8000-000000000000/book/", {"seats": "1"})
        assert response.status_code == 404

    def test_an_event_deleted_meanwhile_is_a_404(self, send, monkeypatch):
        def gone(**request):
            raise Event.DoesNotExist

        monkeypatch.setattr(book_view.services, "book", gone)
        assert send(EventFactory(), seats="1").status_code == 404


class TestWhenTheDatabaseDoesNotAnswerInTime:
    def test_the_form_is_kept_with_its_key(self, send, monkeypatch):
        def busy(**request):
            raise OperationalError("canceling statement due to lock timeout")

        monkeypatch.setattr(book_view.services, "book", busy)
        key = str(uuid4())
        response = send(
            EventFactory(), seats="2", or_wait="on", idempotency_key=key, csrfmiddlewaretoken="stale"
        )
        page = response.content.decode()
        assert response.status_code == 503
        assert int(response["Retry-After"]) > 0
        assert f'name="idempotency_key" value="{key}"' in page
        assert 'name="seats" value="2"' in page
        assert page.count('name="csrfmiddlewaretoken"') == 1
        assert "stale" not in page
        assert "Send it again" in page


class TestATurnThatNeverComes:
    def test_is_answered_with_the_form_kept(self, send, monkeypatch):
        """Others took too long for this event; the form was taken out of the line and not looked at."""

        def never(*args, **_):
            raise TurnNeverCame

        monkeypatch.setattr(Turns, "ask", never)
        response = send(EventFactory(), seats="2")
        assert response.status_code == 503
        assert int(response["Retry-After"]) > 0
        assert 'name="seats" value="2"' in response.content.decode()


class TestAnExpiredPage:
    def test_says_what_to_do_and_books_nothing(self, person):
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(person)
        event = EventFactory()
        response = strict.post(f"/events/{event.pk}/book/", {"seats": "1"})
        assert response.status_code == 403
        assert "That page was open too long" in words(response)
        assert f'href="/events/{event.pk}/"' in response.content.decode()
        assert not Booking.objects.exists()

    def test_the_form_of_the_page_itself_is_taken(self, person):
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(person)
        event = EventFactory()
        page = strict.get(f"/events/{event.pk}/").content.decode()
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page).group(1)
        response = strict.post(f"/events/{event.pk}/book/", {"seats": "1", "csrfmiddlewaretoken": token})
        assert response.status_code == 303
