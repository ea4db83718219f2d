"""An event's page, through HTTP: who sees it, what it says, what its panel offers."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from bookings import services
from events.models import Event
from tests.factories import EventFactory, MembershipFactory, UserFactory

pytestmark = pytest.mark.django_db


def page_of(event) -> str:
    return f"/events/{event.pk}/"


def book(event, *, seats=1, person=None, **more):
    person = person or UserFactory()
    return services.book(event_id=event.pk, user_id=person.pk, seats=seats, now=timezone.now(), **more)


def words(response) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


@pytest.fixture
def person(client):
    person = UserFactory()
    client.force_login(person)
    return person


class TestWhoSeesIt:
    def test_everybody_sees_a_public_or_unlisted_event(self, client):
        for visibility in ("public", "unlisted"):
            assert client.get(page_of(EventFactory(visibility=visibility))).status_code == 200

    def test_members_alone_see_a_members_event(self, client):
        event = EventFactory(visibility="members")
        assert client.get(page_of(event)).status_code == 404
        client.force_login(UserFactory())
        assert client.get(page_of(event)).status_code == 404
        client.force_login(MembershipFactory(organization=event.org).user)
        assert client.get(page_of(event)).status_code == 200

    def test_a_suspended_member_is_no_member(self, client):
        event = EventFactory(visibility="members")
        client.force_login(MembershipFactory(organization=event.org, status="suspended").user)
        assert client.get(page_of(event)).status_code == 404

    def test_nobody_sees_a_draft(self, client):
        event = EventFactory(draft=True)
        assert client.get(page_of(event)).status_code == 404
        client.force_login(UserFactory(platform_staff=True))
        assert client.get(page_of(event)).status_code == 404

    def test_a_suspended_organizations_event_is_seen_by_its_bookers_alone(self, client, person):
        event = EventFactory()
        other = EventFactory(org=event.org)
        book(event, person=person)
        event.org.status = "suspended"
        event.org.save()
        response = client.get(page_of(event))
        assert "Not bookable at the moment" in words(response)
        assert client.get(page_of(other)).status_code == 404

    def test_an_event_that_lost_its_organization_is_seen_by_its_bookers_and_the_platform(
        self, client, person
    ):
        event = EventFactory()
        book(event, person=person)
        Event.objects.filter(pk=event.pk).update(org=None)
        assert client.get(page_of(event)).status_code == 200
        client.force_login(UserFactory(platform_staff=True))
        assert client.get(page_of(event)).status_code == 200
        client.force_login(UserFactory())
        assert client.get(page_of(event)).status_code == 404

    def test_an_unknown_event_is_a_page_that_leads_on(self, client):
        response = client.get("/events/00000000-0000-7000-8000-000000000000/")
        assert response.status_code == 404
        assert "There is nothing here" in words(response)
        assert "See all events" in words(response)


class TestWhatItSays:
    def test_says_when_in_the_zone_of_the_event_with_its_offset(self, client):
        event = EventFactory(event_date="2040-07-01T17:00:00Z", ends_at="2040-07-01T19:00:00Z")
        page = words(client.get(page_of(event)))
        assert "Sunday, 1 July 2040" in page
        assert "19:00–21:00 Berlin time (UTC+02:00)" in page

    def test_says_what_is_left_and_the_rule_of_the_line(self, client):
        event = EventFactory(total_slots=3)
        book(event, seats=2)
        page = words(client.get(page_of(event)))
        assert "1 of 3 seats left" in page
        assert "First in, first out." in page
        assert "The first party that fits." in words(client.get(page_of(EventFactory(queue_rule="fill"))))

    def test_writes_the_description_as_text(self, client):
        event = EventFactory(description="<script>alert(1)</script>\n\nSee https://example.org/a?b=1")
        page = client.get(page_of(event)).content.decode()
        assert "<script>alert" not in page
        assert 'href="https://example.org/a?b=1"' in page

    def test_keeps_the_link_to_join_for_people_with_a_confirmed_booking(self, client, person):
        event = EventFactory(total_slots=2, online_url="https://meet.example.org/room")
        book(event, seats=2)
        booking = book(event, person=person, or_wait=True)
        assert booking.is_waiting
        assert "meet.example.org" not in client.get(page_of(event)).content.decode()
        other = EventFactory(online_url="https://meet.example.org/room")
        book(other, person=person)
        assert "https://meet.example.org/room" in client.get(page_of(other)).content.decode()

    def test_shows_ones_own_bookings(self, client, person):
        event = EventFactory()
        booking = book(event, person=person, seats=3)
        book(event)
        assert [own.pk for own in client.get(page_of(event)).context["own"]] == [booking.pk]

    def test_keeps_engines_away_from_what_is_not_public(self, client):
        assert "noindex" in client.get(page_of(EventFactory(visibility="unlisted"))).content.decode()
        assert "noindex" not in client.get(page_of(EventFactory())).content.decode()


class TestThePanel:
    def test_sends_a_stranger_to_sign_in_and_back(self, client):
        event = EventFactory()
        page = client.get(page_of(event)).content.decode()
        assert f"/accounts/login/?next=/events/{event.pk}/" in page
        assert 'name="idempotency_key"' not in page

    def test_offers_a_form_with_a_fresh_key_each_time(self, client, person):
        event = EventFactory()
        keys = {client.get(page_of(event)).context["keys"]["count"] for _ in range(3)}
        assert len(keys) == 3

    def test_ticks_waiting_where_there_is_a_waitlist(self, client, person):
        with_list, without = EventFactory(), EventFactory(waitlist=False)
        assert 'name="or_wait" checked' in client.get(page_of(with_list)).content.decode()
        assert 'name="or_wait"' not in client.get(page_of(without)).content.decode()

    def test_says_when_booking_opens(self, client, person):
        event = EventFactory(booking_opens_at=timezone.now() + timedelta(days=1))
        page = words(client.get(page_of(event)))
        assert "Booking opens soon" in page
        assert event.local(event.booking_opens_at).strftime("%H:%M") in page

    @pytest.mark.parametrize(
        ("facts", "heading"),
        [
            ({"total_slots": 2}, "Join the waitlist"),
            ({"total_slots": 2, "waitlist": False}, "Sold out"),
        ],
    )
    def test_says_that_it_is_sold_out(self, client, person, facts, heading):
        event = EventFactory(**facts)
        book(event, seats=2)
        assert heading in words(client.get(page_of(event)))

    def test_offers_the_line_while_others_wait_for_seats_that_are_left(self, client, person):
        event = EventFactory(total_slots=3)
        book(event, seats=2)
        book(event, seats=2, or_wait=True)
        page = words(client.get(page_of(event)))
        assert "Seats are left, but others wait for them already" in page
        assert "1 party is waiting in line" in page

    def test_says_that_booking_has_closed(self, client, person):
        event = EventFactory(booking_closes_at=timezone.now() - timedelta(hours=1))
        page = words(client.get(page_of(event)))
        assert "Booking has closed" in page
        assert "10 seats left" not in page

    def test_says_that_the_event_is_over(self, client, person):
        event = EventFactory(event_date=timezone.now() - timedelta(days=1))
        assert "This event is over" in words(client.get(page_of(event)))

    def test_says_that_and_why_the_event_is_cancelled(self, client, person):
        event = EventFactory()
        services.cancel_event(
            event_id=event.pk, reason="The hall burnt down.", actor_id=None, now=timezone.now()
        )
        page = words(client.get(page_of(event)))
        assert "This event is cancelled" in page
        assert "The hall burnt down." in page


class TestTheMap:
    def test_names_each_seat_for_who_cannot_see_it(self, client, person):
        event = EventFactory(with_layout=True)
        services.book(event_id=event.pk, user_id=UserFactory().pk, seat_nos=[9], now=timezone.now())
        page = client.get(page_of(event)).content.decode()
        assert 'value="2" aria-label="Row A, seat 2">' in page
        assert 'value="1" aria-label="Row A, seat 1, wheelchair place">' in page
        assert 'value="9" aria-label="Row B, seat 3, taken" disabled>' in page

    def test_shows_a_small_room_whole(self, client, person):
        event = EventFactory(with_layout=True)
        seats = client.get(page_of(event)).content.decode().count('name="seat_no"')
        assert seats == 10

    def test_shows_a_hall_in_parts_with_what_is_left_in_each(self, client, person):
        event = EventFactory(total_slots=900, layout=hall(stalls=20, balcony=10))
        services.book(event_id=event.pk, user_id=UserFactory().pk, seat_nos=[601, 602], now=timezone.now())
        response = client.get(page_of(event), {"section": "2"})
        plan = response.context["map"]
        assert [(part.title, part.left) for part in plan.parts] == [("Stalls", 600), ("Balcony", 298)]
        assert [section.name for section in plan.sections] == ["Balcony"]
        taken = [spot.number for row in plan.sections[0].rows for spot in row.spots if spot.is_taken]
        assert taken == [601, 602]

    def test_splits_a_section_that_is_too_large_to_show(self, client, person):
        event = EventFactory(total_slots=3000, layout=hall(stalls=90, balcony=10))
        response = client.get(page_of(event))
        assert response.content.decode().count('name="seat_no"') <= 700
        assert response.context["map"].parts[0].title == "Stalls, rows 1–20"

    @pytest.mark.parametrize("section", ["0", "99", "-1", "x", "²", "9" * 5000, ""])
    def test_shows_the_first_part_where_there_is_no_such_one(self, client, person, section):
        event = EventFactory(total_slots=900, layout=hall(stalls=20, balcony=10))
        assert client.get(page_of(event), {"section": section}).context["map"].shown == 1

    def test_holds_seats_that_are_not_on_sale_back(self, client, person):
        event = EventFactory(with_layout=True, total_slots=7)
        page = client.get(page_of(event)).content.decode()
        assert 'aria-label="Row B, seat 2, taken" disabled>' in page


class TestItsCost:
    def test_is_one_question_for_a_stranger(self, client, django_assert_num_queries):
        event = EventFactory(with_layout=True)
        book(event)
        with django_assert_num_queries(1):
            client.get(page_of(event))

    @pytest.mark.django_db(transaction=True)  # which keeps the session in Redis
    def test_is_one_question_for_a_person(self, client, person, django_assert_num_queries):
        """Who they are, the event with how much they have not read, and what they hold of it."""
        event = EventFactory()
        client.get(page_of(event))
        with django_assert_num_queries(1):
            client.get(page_of(event))

    @pytest.mark.django_db(transaction=True)
    def test_is_at_most_four_for_who_books_on_a_map(self, client, person, django_assert_max_num_queries):
        event = EventFactory(total_slots=900, layout=hall(stalls=20, balcony=10), visibility="members")
        MembershipFactory(organization=event.org, user=person)
        for _ in range(3):
            book(event, person=person)
        client.get(page_of(event))
        with django_assert_max_num_queries(4):
            client.get(page_of(event))


def hall(**rows_by_section) -> dict:
    """Sections of rows of thirty seats."""
    return {
        "sections": [
            {"name": name.title(), "rows": [{"label": str(row), "seats": 30} for row in range(1, rows + 1)]}
            for name, rows in rows_by_section.items()
        ]
    }
