from datetime import UTC, date, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from bookings import services
from bookings.models import BookingHistory
from happening.dashboard import charts, figures
from happening.dashboard.figures import Day
from tests.factories import EventFactory, MembershipFactory, UserFactory

UTC_ZONE = ZoneInfo("UTC")
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def book(event, seats):
    return services.book(
        event_id=event.pk,
        user_id=UserFactory().pk,
        seats=seats,
        or_wait=True,
        key=uuid4(),
        now=timezone.now().astimezone(UTC),
    )


class TestColumns:
    def test_reach_as_high_as_their_day_was_busy(self):
        days = [Day(date(2026, 6, number), booked, 0) for number, booked in ((1, 0), (2, 5), (3, 10))]
        drawn = charts.columns(days)
        assert drawn.top == 10
        assert [bar.height for bar in drawn.bars] == [0, charts.HEIGHT / 2, charts.HEIGHT]
        assert all(bar.y + bar.height == charts.HEIGHT for bar in drawn.bars)

    @pytest.mark.parametrize(("count", "top"), [(0, 5), (6, 10), (11, 20), (21, 50), (51, 100), (1001, 2000)])
    def test_stand_on_a_scale_that_people_read(self, count, top):
        assert charts.columns([Day(date(2026, 6, 1), count, 0)]).top == top

    def test_show_one_booking_beside_a_thousand(self):
        drawn = charts.columns([Day(date(2026, 6, 1), 1, 0), Day(date(2026, 6, 2), 1000, 0)])
        assert drawn.bars[0].height >= 2


@pytest.mark.django_db
class TestFigures:
    def test_are_of_one_organization(self):
        here, there = EventFactory(total_slots=10), EventFactory(total_slots=10)
        book(here, 8)
        book(here, 4)
        book(there, 5)
        assert figures.totals(here.org_id) == figures.Totals(
            events=1, seats=10, booked=8, waiting=1, waiting_seats=4
        )
        assert figures.totals(None).booked == 13
        following = figures.next_events(here.org_id, now=timezone.now())
        assert [summary.event_id for summary in following] == [here.pk]

    def test_count_each_of_the_last_days(self):
        event = EventFactory(total_slots=10)
        book(event, 2)
        book(event, 2)
        days = figures.by_day(event.org_id, zone=UTC_ZONE, now=timezone.now())
        assert len(days) == figures.DAYS
        assert (days[-1].booked, days[-2].booked) == (2, 0)
        assert (
            sum(
                day.booked for day in figures.by_day(EventFactory().org_id, zone=UTC_ZONE, now=timezone.now())
            )
            == 0
        )

    def test_count_days_on_the_organizations_own_clock(self):
        """Half past midnight on Tuesday in Berlin is Monday in New York."""
        event = EventFactory(total_slots=10)
        booking = book(event, 2)
        moment = datetime(2031, 6, 9, 22, 30, tzinfo=UTC)
        BookingHistory.objects.bulk_create(
            [
                BookingHistory(
                    booking_id=booking.pk,
                    event_id=event.pk,
                    org_id=event.org_id,
                    user_id=booking.user_id,
                    action="created",
                    details={},
                    created_at=moment,
                )
            ]
        )
        for name, day in (("Europe/Berlin", date(2031, 6, 10)), ("America/New_York", date(2031, 6, 9))):
            days = figures.by_day(event.org_id, zone=ZoneInfo(name), now=moment + timedelta(hours=30))
            assert [each.date for each in days if each.booked] == [day]

    def test_know_the_clock_of_an_organization(self):
        event = EventFactory(time_zone="Asia/Tokyo")
        assert figures.zone_of(event.org).key == "Asia/Tokyo"
        event.org.settings["time_zone"] = "Europe/Lisbon"
        assert figures.zone_of(event.org).key == "Europe/Lisbon"
        assert figures.zone_of(None).key == "UTC"

    def test_count_messages_by_what_became_of_them(self):
        event = EventFactory(total_slots=10)
        book(event, 2)
        now = timezone.now()
        assert figures.deliveries(event.org_id, now=now)["pending"] == 1
        assert figures.deliveries(event.org_id, now=now + timedelta(days=30))["pending"] == 0


@pytest.mark.django_db
class TestTheFirstPage:
    def test_shows_it_to_an_organizer_in_a_few_queries(self, client):
        organizer = MembershipFactory(organizer=True)
        client.force_login(organizer.user, backend=BACKEND)
        for _ in range(6):
            book(EventFactory(org=organizer.organization), 4)
        client.get(reverse("admin:index"))
        with CaptureQueriesContext(connection) as queries:
            shown = client.get(reverse("admin:index")).content.decode()
        assert "<svg" in shown
        assert "clock of Europe/Berlin" in shown
        assert "40 %" in shown
        assert "style=" not in shown
        assert len(queries) < 15

    def test_tells_a_new_organization_what_to_do_first(self, client):
        client.force_login(MembershipFactory(admin=True).user, backend=BACKEND)
        assert "Make the first one" in client.get(reverse("admin:index")).content.decode()

    def test_leaves_out_what_one_may_not_see(self, client):
        organizer = MembershipFactory(
            organizer=True, permissions={"deny": ["see_deliveries", "see_bookings"]}
        )
        client.force_login(organizer.user, backend=BACKEND)
        shown = client.get(reverse("admin:index")).content.decode()
        assert "Messages in the last" not in shown
        assert "Bookings in the last" not in shown
