"""Calendars to take away."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar

from events.models import Event
from tests.factories import EventFactory, MembershipFactory

pytestmark = pytest.mark.django_db


def entries(response) -> list:
    return Calendar.from_ical(response.content).walk("VEVENT")


class TestAnEventsFile:
    @pytest.fixture
    def event(self):
        return EventFactory(
            title="Jazz; with commas, and more",
            event_date=datetime(2040, 7, 1, 19, tzinfo=ZoneInfo("Europe/Berlin")),
            ends_at=datetime(2040, 7, 1, 22, tzinfo=ZoneInfo("Europe/Berlin")),
            online_url="https://meet.example.org/secret",
            sequence=3,
        )

    def test_says_what_when_and_where(self, client, event):
        response = client.get(f"/events/{event.pk}/event.ics")
        [entry] = entries(response)
        assert response["Content-Type"] == "text/calendar; charset=utf-8"
        assert str(entry["SUMMARY"]) == "Jazz; with commas, and more"
        assert str(entry["LOCATION"]) == "Town hall"
        assert entry["DTSTART"].dt == event.event_date
        assert entry["DTEND"].dt == event.ends_at
        assert entry["SEQUENCE"] == 3
        assert str(entry["UID"]).startswith(f"event-{event.pk}@")
        assert str(entry["STATUS"]) == "CONFIRMED"

    def test_brings_the_rules_of_its_zone(self, client, event):
        feed = Calendar.from_ical(client.get(f"/events/{event.pk}/event.ics").content)
        assert [zone["TZID"] for zone in feed.walk("VTIMEZONE")] == ["Europe/Berlin"]
        assert [entry["DTSTART"].params["TZID"] for entry in feed.walk("VEVENT")] == ["Europe/Berlin"]

    def test_never_holds_the_link_to_join(self, client, event):
        assert b"secret" not in client.get(f"/events/{event.pk}/event.ics").content

    def test_says_that_it_is_cancelled(self, client):
        event = EventFactory(status=Event.Status.CANCELLED)
        [entry] = entries(client.get(f"/events/{event.pk}/event.ics"))
        assert str(entry["STATUS"]) == "CANCELLED"

    def test_does_without_an_end(self, client):
        event = EventFactory(ends_at=None)
        [entry] = entries(client.get(f"/events/{event.pk}/event.ics"))
        assert "DTEND" not in entry

    @pytest.mark.parametrize("hidden", [{"published_at": None}, {"visibility": "members"}, {"org": None}])
    def test_is_not_there_for_who_may_not_see_the_event(self, client, hidden):
        event = EventFactory(**hidden)
        assert client.get(f"/events/{event.pk}/event.ics").status_code == 404

    def test_is_there_for_members(self, client):
        event = EventFactory(visibility="members")
        client.force_login(MembershipFactory(organization=event.org).user)
        assert client.get(f"/events/{event.pk}/event.ics").status_code == 200


class TestTheFeed:
    def test_holds_what_the_list_holds(self, client):
        EventFactory(title="In")
        EventFactory(title="Draft", published_at=None)
        assert [str(entry["SUMMARY"]) for entry in entries(client.get("/events.ics"))] == ["In"]

    def test_takes_the_lists_filters(self, client):
        EventFactory(title="Concert", category="concert")
        EventFactory(title="Meetup", category="meetup")
        found = entries(client.get("/events.ics", {"category": "concert"}))
        assert [str(entry["SUMMARY"]) for entry in found] == ["Concert"]

    @pytest.mark.parametrize("events", [1, 20])
    def test_asks_two_questions_however_many_events(self, client, django_assert_num_queries, events):
        EventFactory.create_batch(events)
        with django_assert_num_queries(2):
            client.get("/events.ics")
