"""The list of events, through HTTP."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from events.models import Event
from tests.factories import EventFactory, OrganizationFactory

pytestmark = pytest.mark.django_db
LIST = "/events/"


def titles(response) -> list[str]:
    return [event.title for day in response.context["days"] for event in day.events]


def in_days(days: int, **more):
    start = timezone.now() + timedelta(days=days)
    return EventFactory(event_date=start, ends_at=start + timedelta(hours=2), **more)


class TestTheList:
    def test_shows_what_goes_ahead_from_now_on_in_order(self, client):
        in_days(2, title="Later")
        in_days(1, title="Soon")
        in_days(-2, title="Gone")
        assert titles(client.get("/")) == ["Soon", "Later"]

    def test_shows_what_has_begun_and_is_not_over(self, client):
        EventFactory(
            title="Under way",
            event_date=timezone.now() - timedelta(hours=1),
            ends_at=timezone.now() + timedelta(hours=1),
        )
        assert titles(client.get(LIST)) == ["Under way"]

    @pytest.mark.parametrize(
        "hidden",
        [
            {"published_at": None},
            {"visibility": Event.Visibility.UNLISTED},
            {"visibility": Event.Visibility.MEMBERS},
            {"status": Event.Status.CANCELLED},
            {"org": None},
        ],
    )
    def test_leaves_out_what_is_not_for_everybody(self, client, hidden):
        EventFactory(**hidden)
        assert titles(client.get(LIST)) == []

    def test_leaves_out_what_a_suspended_organization_offers(self, client):
        EventFactory(org=OrganizationFactory(status="suspended"))
        assert titles(client.get(LIST)) == []

    def test_groups_by_the_day_of_the_events_own_place(self, client):
        moment = datetime(2040, 6, 1, 22, 30, tzinfo=ZoneInfo("UTC"))
        EventFactory(title="Berlin", event_date=moment, ends_at=None, time_zone="Europe/Berlin")
        EventFactory(title="New York", event_date=moment, ends_at=None, time_zone="America/New_York")
        days = client.get(LIST).context["days"]
        assert [(day.date.day, [event.title for event in day.events]) for day in days] == [
            (1, ["New York"]),
            (2, ["Berlin"]),
        ]

    def test_names_the_zone_and_says_what_is_left(self, client):
        in_days(3)
        page = client.get(LIST).content.decode()
        assert "Berlin time" in page
        assert "10 seats left" in page

    def test_does_not_offer_seats_once_booking_has_closed(self, client):
        in_days(3, booking_closes_at=timezone.now() - timedelta(hours=1))
        page = client.get(LIST).content.decode()
        assert "Booking closed" in page
        assert "10 seats left" not in page

    def test_shows_an_event_whose_zone_nobody_knows(self, client):
        in_days(3, title="Somewhere", time_zone="Mars/Olympus_Mons")
        assert titles(client.get(LIST)) == ["Somewhere"]
        assert titles(client.get(LIST, {"from": "2000-01-01"})) == ["Somewhere"]

    def test_says_when_there_is_nothing(self, client):
        assert "Nothing is planned yet" in client.get(LIST).content.decode()

    @pytest.mark.parametrize("events", [1, 30])
    def test_asks_two_questions_however_many_events(self, client, django_assert_num_queries, events):
        EventFactory.create_batch(events)
        with django_assert_num_queries(2):
            client.get(LIST)


class TestFilters:
    def test_finds_words_in_title_description_and_place(self, client):
        in_days(1, title="Jazz night")
        in_days(2, title="Talk", description="about jazz")
        in_days(3, title="Walk", place="Jazz Street")
        in_days(4, title="Opera")
        assert titles(client.get(LIST, {"q": "jazz"})) == ["Jazz night", "Talk", "Walk"]

    def test_finds_the_beginning_of_a_word(self, client):
        in_days(1, title="Photographers' walk")
        assert titles(client.get(LIST, {"q": "photog wal"})) == ["Photographers' walk"]

    @pytest.mark.parametrize(
        "words", ["'", "a & | b", "!!!", "((", '"jazz', "-", "node.js", "\\", "☃", "jazz" * 50]
    )
    def test_survives_any_words(self, client, words):
        assert client.get(LIST, {"q": words}).status_code == 200

    def test_survives_a_null_byte(self, client):
        assert client.get(LIST, {"q": "a\x00b"}).status_code == 200

    def test_finds_a_cancelled_event_by_its_words_and_says_so(self, client):
        in_days(1, title="Jazz night", status=Event.Status.CANCELLED)
        response = client.get(LIST, {"q": "jazz"})
        assert titles(response) == ["Jazz night"]
        assert "Cancelled" in response.content.decode()

    def test_keeps_to_a_category(self, client):
        in_days(1, title="Concert", category="concert")
        in_days(1, title="Meetup", category="meetup")
        assert titles(client.get(LIST, {"category": "concert"})) == ["Concert"]

    def test_keeps_to_an_organization_by_slug_or_id(self, client):
        event = in_days(1, title="Ours")
        in_days(1, title="Theirs")
        for name in (event.org.slug, str(event.org_id)):
            assert titles(client.get(LIST, {"org": name})) == ["Ours"]

    def test_keeps_to_what_has_seats(self, client):
        in_days(1, title="Seats")
        full = in_days(1, title="Full", total_slots=1)
        Event.objects.filter(pk=full.pk).update(is_bookable=True)
        assert set(titles(client.get(LIST, {"available": "on"}))) == {"Seats", "Full"}

    def test_counts_days_on_the_clock_of_each_events_place(self, client):
        for title, zone in [
            ("Tokyo", "Asia/Tokyo"),
            ("London", "Europe/London"),
            ("LA", "America/Los_Angeles"),
        ]:
            EventFactory(
                title=title,
                time_zone=zone,
                event_date=datetime(2040, 6, 2, 1, 0, tzinfo=ZoneInfo(zone)),
                ends_at=None,
            )
        day = {"from": "2040-06-02", "to": "2040-06-02"}
        assert set(titles(client.get(LIST, day))) == {"Tokyo", "London", "LA"}
        assert titles(client.get(LIST, {"from": "2040-06-03"})) == []
        assert titles(client.get(LIST, {"to": "2040-06-01"})) == []

    def test_shows_days_gone_by_to_who_asks_for_them(self, client):
        in_days(-400, title="Last year", status=Event.Status.COMPLETED)
        first = (timezone.now() - timedelta(days=500)).date()
        assert titles(client.get(LIST, {"from": first.isoformat()})) == ["Last year"]

    @pytest.mark.parametrize(
        ("filters", "words"),
        [
            ({"from": "tomorrow"}, "Write a date as year-month-day"),
            ({"from": "0001-01-01"}, "Choose a date between 2000 and 2199"),
            ({"to": "9999-12-31"}, "Choose a date between 2000 and 2199"),
            ({"category": "opera"}, "There is no such category"),
            ({"org": "nobody"}, "There is no such organization"),
            ({"from": "2040-02-02", "to": "2040-02-01"}, "This is before the first day"),
        ],
    )
    def test_says_what_it_cannot_read_and_leaves_it_out(self, client, filters, words):
        start = datetime(2040, 6, 1, tzinfo=ZoneInfo("UTC"))
        EventFactory(title="Here", event_date=start, ends_at=None)
        response = client.get(LIST, filters)
        assert response.status_code == 200
        assert words in response.content.decode()
        assert titles(response) == ["Here"]

    def test_shows_each_filter_that_holds_with_a_way_to_take_it_off(self, client):
        response = client.get(LIST, {"q": "jazz", "category": "concert"})
        assert [(chip.label, chip.query_without) for chip in response.context["chips"]] == [
            ("“jazz”", "category=concert"),
            ("Concert", "q=jazz"),
        ]
        assert "Nothing fits all of these" in response.content.decode()


class TestPages:
    def test_go_forth_and_back_without_losing_or_doubling_any(self, client):
        start = timezone.now() + timedelta(days=1)
        for number in range(60):  # many at the very same moment
            EventFactory(title=f"{number:02}", event_date=start + timedelta(days=number // 20), ends_at=None)
        seen, query = [], {}
        while True:
            response = client.get(LIST, query)
            seen.append(titles(response))
            if not (later := response.context["page"].later):
                break
            query = {"after": later}
        assert [len(page) for page in seen] == [24, 24, 12]
        assert len({title for page in seen for title in page}) == 60
        back = client.get(LIST, {"before": response.context["page"].earlier})
        assert titles(back) == seen[1]
        first = client.get(LIST, {"before": back.context["page"].earlier})
        assert titles(first) == seen[0]
        assert first.context["page"].earlier is None

    @pytest.mark.parametrize(
        "cursor", ["x", "%%%", "MjAyNi0wMS0wMSAx", "MjAyNi0wMS0wMVQwMDowMDowMCB4", "💥", "a" * 5000]
    )
    def test_begin_anew_at_a_cursor_that_cannot_be_read(self, client, cursor):
        EventFactory(title="Here")
        assert titles(client.get(LIST, {"after": cursor})) == ["Here"]

    def test_keep_the_filters(self, client):
        EventFactory.create_batch(25, category="concert")
        page = client.get(LIST, {"category": "concert"}).content.decode()
        assert "?category=concert&amp;after=" in page
