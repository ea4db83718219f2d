"""Who comes too late is told so at next to no cost, and nobody is told so who could still have something."""

from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bookings import services
from bookings.models import Booking
from bookings.seats_side import SEATS
from tests.factories import EventFactory, MembershipFactory, UserFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sold_out(book):
    event = EventFactory(total_slots=5, waitlist=False)
    book(event, 5)
    return event


@pytest.fixture
def person(client):
    person = UserFactory()
    client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    client.get(reverse("account"))  # the session is warm
    return person


@pytest.fixture
def send(client):
    def sending(event, seats=1, **form):
        form.setdefault("idempotency_key", uuid4())
        return client.post(reverse("book", args=[event.pk]), {"seats": seats, **form})

    return sending


class TestTooLate:
    def test_is_told_without_a_query(self, sold_out, person, send):
        with CaptureQueriesContext(connection) as queries:
            answer = send(sold_out)
        assert [query["sql"] for query in queries] == []
        assert answer.status_code == 409
        assert "Sold out" in answer.content.decode()

    def test_is_told_without_a_query_on_the_organizations_own_host(self, sold_out, person, client):
        host = {"host": f"{sold_out.org.slug}.localhost"}
        form = {"seats": 1, "idempotency_key": uuid4()}
        client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
        answer = client.post(reverse("book", args=[sold_out.pk]), form, headers=host)
        with CaptureQueriesContext(connection) as queries:
            answer = client.post(reverse("book", args=[sold_out.pk]), form, headers=host)
        assert [query["sql"] for query in queries] == []
        assert answer.status_code == 409

    def test_is_not_told_of_anothers_event_there(self, sold_out, person, client):
        other = EventFactory()
        for event in (sold_out, other):
            form = {"seats": 1, "idempotency_key": uuid4()}
            host = {"host": f"{(other if event is sold_out else sold_out).org.slug}.localhost"}
            assert client.post(reverse("book", args=[event.pk]), form, headers=host).status_code == 404

    def test_is_offered_the_fewer_seats_that_are_left(self, sold_out, person, send, cancel, book):
        cancel(sold_out.bookings.get())
        book(sold_out, 3)
        with CaptureQueriesContext(connection) as queries:
            answer = send(sold_out, 4)
        assert [query["sql"] for query in queries] == []
        assert answer.status_code == 409
        assert "Book the 2 seats that are left" in " ".join(answer.content.decode().split())
        assert send(sold_out, 2).status_code == 303

    def test_is_told_before_anybody_asks_who_it_is_where_others_were(self, sold_out, person, send):
        send(sold_out)
        stranger = Client()
        form = {"seats": 1, "idempotency_key": uuid4()}
        with CaptureQueriesContext(connection) as queries:
            answer = stranger.post(reverse("book", args=[sold_out.pk]), form)
        assert (answer.status_code, [query["sql"] for query in queries]) == (409, [])
        assert "Cookie" not in answer.get("Vary", "")  # no session was looked for

    def test_finds_a_booking_of_the_same_form_where_others_came_too_late(self, person, send):
        event, key = EventFactory(total_slots=1, waitlist=False), uuid4()
        made = send(event, idempotency_key=key)
        assert send(event).status_code == 409
        again = send(event, idempotency_key=key)
        assert (again.status_code, again["Location"]) == (303, made["Location"])

    def test_gets_seats_that_came_back_where_others_came_too_late(self, sold_out, person, send, cancel):
        assert send(sold_out).status_code == 409
        cancel(sold_out.bookings.get())
        assert send(sold_out).status_code == 303

    def test_is_led_to_sign_in_where_nobody_is_signed_in(self, sold_out, send):
        answer = send(sold_out)
        assert answer.status_code == 302
        assert reverse("account_login") in answer["Location"]


class TestNotTooLate:
    def test_is_who_clicked_twice_for_the_last_seats(self, person, send):
        event, key = EventFactory(total_slots=1, waitlist=False), uuid4()
        first, second = (send(event, idempotency_key=key) for _ in range(2))
        assert (first.status_code, second.status_code) == (303, 303)
        assert first["Location"] == second["Location"]

    def test_is_who_may_wait(self, person, send, book):
        event = EventFactory(total_slots=1)
        book(event, 1)
        answer = send(event)
        assert answer.status_code == 409
        assert "Join the waitlist" in answer.content.decode()
        assert send(event, or_wait="on").status_code == 303

    def test_gives_seats_back_that_were_set_aside_for_somebody_who_is_out(self, person, send, book):
        event = EventFactory(total_slots=2, waitlist=False)
        book(event, 1)
        type(person).objects.filter(pk=person.pk).update(status="suspended")
        assert send(event).status_code == 302
        assert book(event, 1).is_confirmed

    def test_sets_no_seat_aside_who_asks_too_often(self, person, send, book, settings):
        event, key = EventFactory(total_slots=5, waitlist=False), uuid4()
        book(event, 1)
        settings.RATE_LIMITS = {**settings.RATE_LIMITS, "book": {"person": (1, 60)}}
        answers = [send(event, idempotency_key=each).status_code for each in (uuid4(), key)]
        assert answers == [303, 429]
        assert SEATS.client.get(f"event:{event.pk}:slots") == b"3"
        assert not SEATS.client.exists(f"event:{event.pk}:form:{key}")

    def test_is_who_names_a_seat_that_the_house_has_not(self, sold_out, person, client):
        form = {"seat_no": 6, "idempotency_key": uuid4()}
        answer = client.post(reverse("book", args=[sold_out.pk]), form)
        assert answer.status_code == 422
        assert "There is no seat 6" in answer.content.decode()


class TestWhatStrangersMayNotKnowOf:
    """What the counter may say for good is what anybody may know; it changes with the event."""

    @pytest.fixture
    def stranger(self, sold_out, person, send):
        """Who has just been told that it is sold out."""
        assert send(sold_out).status_code == 409
        return person

    @pytest.fixture
    def staff(self):
        return UserFactory(platform_staff=True, verified=True)

    @pytest.fixture
    def save_as(self, staff, sold_out):
        """Save the event's form in the admin with another visibility."""

        def saving(visibility):
            desk = Client()
            desk.force_login(staff, backend="allauth.account.auth_backends.AuthenticationBackend")
            words = {name: getattr(sold_out, name) for name in sold_out.WORDS}
            address = reverse("admin:events_event_change", args=[sold_out.pk])
            answer = desk.post(address, {**words, "visibility": visibility})
            assert answer.status_code == 302, answer.content.decode()

        return saving

    def ask_without_a_query(self, send, event) -> bool:
        with CaptureQueriesContext(connection) as queries:
            assert send(event).status_code == 409
        return len(queries) == 0

    def test_is_not_told_once_it_is_for_members_only(self, sold_out, stranger, send, save_as):
        save_as("members")
        assert send(sold_out).status_code == 404
        assert Client().post(reverse("book", args=[sold_out.pk]), {"seats": 1}).status_code == 302

    def test_is_told_at_no_cost_once_it_is_public_again(self, sold_out, stranger, send, save_as):
        for visibility in ("members", "public"):
            save_as(visibility)
            send(sold_out)
        assert self.ask_without_a_query(send, sold_out)

    def test_is_not_told_of_an_organization_that_was_suspended(self, sold_out, stranger, send, staff, now):
        asked = {"organization_id": sold_out.org_id, "actor_id": staff.pk, "now": now}
        services.suspend_organization(**asked)
        assert send(sold_out).status_code == 404
        services.reopen_organization(**asked)
        assert send(sold_out).status_code == 409
        assert self.ask_without_a_query(send, sold_out)


class TestMembersOnly:
    def test_is_not_there_for_others(self, person, send):
        event = EventFactory(visibility="members")
        assert send(event).status_code == 404
        assert not Booking.objects.exists()

    def test_is_booked_by_members(self, person, send):
        event = EventFactory(visibility="members")
        MembershipFactory(organization=event.org, user=person)
        assert send(event).status_code == 303
