"""What a tenant's host shows, and what becomes of an organization's events with its status."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bookings import services
from bookings.errors import NotBookable
from events import views
from events.listing import BY_START
from events.models import Event
from orgs.host_cache import known_hosts
from orgs.models import Membership, Organization
from tests.factories import EventFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("as_the_application")]
PAGES = ["/", "/events/", "/events.ics", "/events/?q=hall", "/events/?org=globex"]


@pytest.fixture
def get(client):
    """Get a page on a host, as somebody."""

    def getting(path, *, host="testserver", as_=None):
        client.logout()
        if as_:
            client.force_login(as_)
        return client.get(path, headers={"host": host})

    return getting


@pytest.fixture
def give_status(tenants):
    """Give Acme another status."""

    def giving(status):
        Event.objects.filter(org=tenants.acme.organization).update(
            status="cancelled"
        ) if status == "closed" else None
        Organization.objects.filter(pk=tenants.acme.organization.pk).update(status=status)
        known_hosts.known_here.clear()

    return giving


class TestATenantsHost:
    @pytest.mark.parametrize("path", PAGES)
    def test_shows_its_own_events_alone(self, get, tenants, path):
        answer = get(path, host=tenants.acme.host)
        assert tenants.acme.names(answer.content)
        assert not tenants.globex.names(answer.content)

    def test_shows_every_public_event_on_the_platforms(self, get, tenants):
        for path in PAGES[:-1]:
            content = get(path).content
            assert all(tenant.names(content) for tenant in tenants), path

    @pytest.mark.parametrize("page", ["", "event.ics"])
    def test_has_no_page_for_anothers_event(self, get, tenants, page):
        own, foreign = (f"/events/{tenant.event.pk}/{page}" for tenant in tenants)
        assert get(own, host=tenants.acme.host).status_code == 200
        for person in (None, tenants.acme.admin, tenants.nobody, tenants.platform):
            assert get(foreign, host=tenants.acme.host, as_=person).status_code == 404

    def test_takes_no_booking_for_anothers_event(self, client, tenants):
        client.force_login(tenants.nobody)
        book = f"/events/{tenants.globex.event.pk}/book/"
        assert client.post(book, {"seats": 1}, headers={"host": tenants.acme.host}).status_code == 404

    def test_shows_people_what_is_theirs_wherever_they_look(self, get, tenants):
        person, booking = tenants.globex.attendee, tenants.globex.booking
        for path in ("/bookings/", f"/bookings/{booking.pk}/", f"/events/{booking.event_id}/"):
            assert get(path, host=tenants.acme.host, as_=person).status_code == 200

    def test_bears_its_name_and_where_to_write(self, get, tenants):
        page = get("/events/", host=tenants.acme.host).content.decode()
        assert "Zebrafink Works" in page
        assert "mailto:help@zebrafink.test" in page

    def test_offers_no_choice_of_organizations(self, get, tenants):
        assert 'name="org"' not in get("/events/", host=tenants.acme.host).content.decode()


class TestAMembersEvent:
    def test_is_there_for_members_alone(self, get, tenants):
        path = f"/events/{tenants.acme.members_event.pk}/"
        for person in (tenants.acme.member, tenants.acme.organizer, tenants.platform):
            assert get(path, as_=person).status_code == 200
        for person in (None, tenants.nobody, tenants.globex.member, tenants.acme.attendee):
            assert get(path, as_=person).status_code == 404

    def test_sells_seats_to_members_alone_whatever_asks(self, tenants):
        event, now = tenants.acme.members_event, timezone.now()
        booking = services.book(event_id=event.pk, user_id=tenants.acme.member.pk, seats=1, now=now)
        with pytest.raises(NotBookable):
            services.book(event_id=event.pk, user_id=tenants.nobody.pk, seats=1, now=now)
        Membership.objects.filter(user=tenants.acme.member).update(status="suspended")
        more = {"booking_id": booking.pk, "version": 1, "seats": 2, "now": now}
        with pytest.raises(NotBookable):
            services.modify(actor_id=tenants.acme.member.pk, **more)
        services.modify(actor_id=tenants.acme.organizer.pk, **more)

    def test_is_sold_by_the_organizer_to_whomever_they_choose(self, tenants):
        facts = {"event_id": tenants.acme.members_event.pk, "seats": 1, "now": timezone.now()}
        services.book(user_id=tenants.nobody.pk, actor_id=tenants.acme.organizer.pk, **facts)

    def test_is_listed_for_members_and_for_nobody_else(self, get, tenants):
        acme = tenants.acme
        title = acme.members_event.title.encode()
        for path in ("/", "/events/?q=members_event", f"/events/?org={acme.organization.slug}"):
            for person in (acme.member, acme.organizer, acme.admin):
                assert get(path, as_=person).content.count(title) == 1, (path, person)
            outsiders = (None, acme.attendee, tenants.nobody, tenants.globex.admin, tenants.platform)
            for person in (*outsiders, tenants.deactivated):
                assert title not in get(path, as_=person).content, (path, person)

    def test_is_listed_on_the_hosts_that_show_it(self, get, tenants):
        title = tenants.acme.members_event.title.encode()
        assert title in get("/", host=tenants.acme.host, as_=tenants.acme.member).content
        assert title not in get("/", host=tenants.globex.host, as_=tenants.acme.member).content

    def test_costs_who_is_not_signed_in_no_query(self, client, tenants):
        client.get("/")
        with CaptureQueriesContext(connection) as asked:
            client.get("/?from=2001-01-01")
        assert not [query for query in asked if "organization_users" in query["sql"]]
        assert len([query for query in asked if 'FROM "events"' in query["sql"]]) == 1

    def test_stands_in_its_place_among_the_others_page_by_page(self, get, tenants, monkeypatch):
        monkeypatch.setattr(views, "BY_START", replace(BY_START, size=2))
        starts = timezone.now() + timedelta(days=40)
        wanted = []
        for number, visibility in enumerate(["public", "members", "members", "public", "members"]):
            event = EventFactory(
                org=tenants.acme.organization,
                title=f"Number {number}",
                visibility=visibility,
                event_date=starts + timedelta(hours=number),
            )
            wanted.append(event.pk)
        address, seen = f"/?from={starts:%Y-%m-%d}", []
        for _ in range(3):
            page = get(address, as_=tenants.acme.member).context["page"]
            seen += [event.pk for event in page]
            address = f"/?from={starts:%Y-%m-%d}&after={page.later}"
        assert page.later is None
        assert seen == wanted
        back = get(f"/?from={starts:%Y-%m-%d}&before={page.earlier}", as_=tenants.acme.member)
        assert [event.pk for event in back.context["page"]] == wanted[2:4]

    def test_is_gone_with_the_membership_at_once(self, get, tenants):
        Membership.objects.filter(user=tenants.acme.member).update(status="suspended")
        assert get(f"/events/{tenants.acme.members_event.pk}/", as_=tenants.acme.member).status_code == 404


@pytest.mark.parametrize("status", ["suspended", "closed"])
class TestAnOrganizationThatIsNotActive:
    def test_is_hidden_from_strangers(self, get, tenants, give_status, status):
        give_status(status)
        assert not tenants.acme.names(get("/events/").content)
        assert not tenants.acme.names(get("/events.ics").content)
        for person in (None, tenants.nobody, tenants.acme.organizer):
            assert get(f"/events/{tenants.acme.event.pk}/", as_=person).status_code == 404

    def test_is_seen_by_who_booked(self, get, tenants, give_status, status):
        give_status(status)
        for path in (f"/events/{tenants.acme.event.pk}/", f"/bookings/{tenants.acme.booking.pk}/"):
            assert get(path, as_=tenants.acme.attendee).status_code == 200

    def test_books_nothing_new(self, tenants, give_status, status):
        give_status(status)
        with pytest.raises(Exception, match=r"cannot be booked|cancelled"):
            services.book(
                event_id=tenants.acme.event.pk, user_id=tenants.nobody.pk, seats=1, now=timezone.now()
            )


class TestASuspendedOrganization:
    def test_lets_people_give_their_seats_back(self, client, tenants, give_status):
        give_status("suspended")
        client.force_login(tenants.acme.attendee)
        cancel = f"/bookings/{tenants.acme.booking.pk}/cancel/"
        assert client.post(cancel, {"version": tenants.acme.booking.version}).status_code == 303


class TestAnOrganizationThatIsGone:
    @pytest.fixture(autouse=True)
    def _gone(self, tenants, give_status):
        give_status("closed")
        Organization.objects.filter(pk=tenants.acme.organization.pk).delete()

    def test_leaves_its_events_to_who_booked_and_the_platform(self, get, tenants):
        path = f"/events/{tenants.acme.event.pk}/"
        assert get(path, as_=tenants.acme.attendee).status_code == 200
        assert get(path, as_=tenants.platform).status_code == 200
        for person in (None, tenants.nobody, tenants.acme.organizer):
            assert get(path, as_=person).status_code == 404

    def test_leaves_nothing_that_could_be_booked(self, tenants):
        Event.objects.filter(pk=tenants.acme.event.pk)
        with pytest.raises(Exception, match=r"cannot be booked|cancelled"):
            services.book(
                event_id=tenants.acme.event.pk, user_id=tenants.nobody.pk, seats=1, now=timezone.now()
            )
