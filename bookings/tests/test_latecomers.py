import sys
from concurrent.futures import ThreadPoolExecutor
from random import Random
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.urls import reverse

from bookings import latecomers
from tests.factories import EventFactory, UserFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """What the time is said to be; begins at 1,000."""
    now = [1_000.0]
    monkeypatch.setattr(latecomers, "monotonic", lambda: now[0])
    monkeypatch.setattr(latecomers, "_until", type(latecomers._until)())
    return now


@pytest.fixture
def hurried_threads():
    """Threads take turns so often that what two of them must not do at once goes wrong."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.fixture
def sold_out(book):
    event = EventFactory(total_slots=5, waitlist=False)
    book(event, 5)
    return event


def send(event, client=None, **form):
    form = {"seats": 1, "idempotency_key": uuid4(), **form}
    return (client or Client()).post(reverse("book", args=[event.pk]), form)


def signed_in(person=None) -> Client:
    client = Client()
    client.force_login(person or UserFactory(), backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


class TestLatecomers:
    def test_are_remembered_for_a_while(self, clock):
        event = uuid4()
        assert not latecomers.came_lately(event)
        latecomers.note(event)
        clock[0] += latecomers.LATELY - 1
        assert latecomers.came_lately(event)
        clock[0] += 2
        assert not latecomers.came_lately(event)

    def test_are_remembered_of_the_latest_events(self, monkeypatch):
        monkeypatch.setattr(latecomers, "MOST", 2)
        hot, other, another = uuid4(), uuid4(), uuid4()
        for event in (hot, other, hot, another):
            latecomers.note(event)
        assert [latecomers.came_lately(event) for event in (hot, other, another)] == [True, False, True]

    def test_may_be_of_many_events_at_once(self, monkeypatch, hurried_threads):
        """Ids are compared by Python, so one thread may take away what another is about to put in front."""
        monkeypatch.setattr(latecomers, "MOST", 100)

        def come(seed):
            choose = Random(seed).randrange
            for _ in range(4_000):
                latecomers.note(UUID(int=choose(110)))

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(come, range(8)))
        assert len(latecomers._until) == 100


class TestTooLate:
    def test_is_told_to_whoever_comes_where_others_were_too_late(self, sold_out):
        assert send(sold_out).status_code == 302  # to sign in
        first = send(sold_out, signed_in())
        assert first.status_code == 409
        stranger = send(sold_out)
        assert (stranger.status_code, stranger.content) == (409, first.content)
        assert not stranger.cookies
        walls = ("X-Frame-Options", "Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy")
        assert all(stranger[name] == first[name] for name in walls)

    def test_is_not_told_once_a_while_has_passed(self, sold_out, clock):
        send(sold_out, signed_in())
        clock[0] += latecomers.LATELY + 1
        assert send(sold_out).status_code == 302

    def test_is_not_told_of_a_form_that_made_a_booking(self, sold_out, book):
        person, key = UserFactory(), uuid4()
        event = EventFactory(total_slots=1, waitlist=False)
        booking = book(event, 1, user=person, key=key)
        assert send(event, signed_in()).status_code == 409
        again = send(event, signed_in(person), idempotency_key=key)
        assert (again.status_code, again["Location"]) == (303, f"/bookings/{booking.pk}/")

    def test_is_not_told_to_a_party_for_which_fewer_are_left(self, book):
        event = EventFactory(total_slots=5, waitlist=False)
        book(event, 4)
        assert send(event, signed_in(), seats=2).status_code == 409
        assert send(event, seats=2).status_code == 302  # who is not known is offered nothing
        assert b"Book the" in send(event, signed_in(), seats=2).content

    def test_is_not_told_of_a_form_that_does_not_hold(self, sold_out):
        send(sold_out, signed_in())
        assert send(sold_out, signed_in(), seats="many").status_code == 422

    def test_is_not_told_on_the_host_of_another_organization(self, sold_out):
        send(sold_out, signed_in())
        host = {"host": f"{EventFactory().org.slug}.localhost"}
        form = {"seats": 1, "idempotency_key": uuid4()}
        answer = Client().post(reverse("book", args=[sold_out.pk]), form, headers=host)
        assert answer.status_code == 302
