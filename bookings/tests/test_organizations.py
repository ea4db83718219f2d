"""Suspending, opening again and closing an organization."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils import timezone

from bookings import services
from bookings.errors import NotBookable, ReasonMissing
from bookings.models import Booking
from bookings.services import organizations
from events.models import Event
from notifications.models import Notification
from orgs.errors import NotAllowed
from orgs.models import AccountMail
from tests.factories import EventFactory, MembershipFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("as_the_application")]


@pytest.fixture
def staff():
    return UserFactory(platform_staff=True)


@pytest.fixture
def acme(event):
    MembershipFactory(organization=event.org, admin=True, user__email="ada@acme.test")
    return event.org


@pytest.fixture
def asked(acme, staff):
    return {"organization_id": acme.pk, "actor_id": staff.pk, "now": timezone.now()}


def finish_jobs():
    while services.run_jobs(now=timezone.now() + timedelta(minutes=3)):
        pass


class TestSuspending:
    def test_lets_nothing_be_booked_until_it_is_open_again(self, asked, event, book):
        services.suspend_organization(**asked)
        with pytest.raises(NotBookable):
            book(event, 1)
        services.reopen_organization(**asked)
        assert book(event, 1).is_confirmed

    def test_tells_the_administrators_once(self, asked):
        services.suspend_organization(**asked)
        services.suspend_organization(**asked)
        [mail] = AccountMail.objects.filter(recipient="ada@acme.test")
        assert "suspended" in mail.subject

    def test_is_for_platform_staff_alone(self, asked, acme):
        administrator = acme.memberships.get().user
        for deed in (services.suspend_organization, services.reopen_organization):
            with pytest.raises(NotAllowed):
                deed(**{**asked, "actor_id": administrator.pk})
        with pytest.raises(NotAllowed):
            services.close_organization(**{**asked, "actor_id": administrator.pk}, reason="Spite")
        acme.refresh_from_db()
        assert acme.is_active


class TestClosing:
    def test_cancels_what_goes_ahead_and_tells_its_people(self, asked, acme, event, book):
        booked, waiting = book(event, 9), book(event, 4, or_wait=True)
        over = EventFactory(org=acme, status=Event.Status.COMPLETED)
        draft = EventFactory(org=acme, draft=True)
        services.close_organization(**asked, reason="The association has ended.")
        finish_jobs()
        for row in (acme, event, over, draft):
            row.refresh_from_db()
        assert acme.status == "closed"
        assert (event.status, event.cancellation_reason) == ("cancelled", "The association has ended.")
        assert (over.status, draft.status) == ("completed", "upcoming")
        assert not Booking.objects.active().exists()
        told = Notification.objects.filter(type="event_cancelled").values_list("user_id", flat=True)
        assert set(told) == {booked.user_id, waiting.user_id}
        [mail] = AccountMail.objects.filter(recipient="ada@acme.test")
        assert "closed" in mail.subject

    def test_calls_off_nothing_that_took_place(self, asked, acme):
        now = asked["now"]
        held = EventFactory(org=acme, event_date=now - timedelta(hours=5), ends_at=now - timedelta(hours=2))
        services.close_organization(**asked, reason="Over")
        held.refresh_from_db()
        assert held.status == "completed"

    def test_goes_on_where_it_was_killed(self, asked, acme, event, monkeypatch):
        EventFactory(org=acme)
        really, calls = organizations.cancel_event, []

        def dies_at_the_second(**facts):
            calls.append(facts)
            if len(calls) == 2:
                raise KeyboardInterrupt
            return really(**facts)

        monkeypatch.setattr(organizations, "cancel_event", dies_at_the_second)
        with pytest.raises(KeyboardInterrupt):
            services.close_organization(**asked, reason="Over")
        acme.refresh_from_db()
        assert acme.status == "suspended"
        services.close_organization(**asked, reason="Over")
        acme.refresh_from_db()
        assert acme.status == "closed"
        assert not organizations.going_ahead(acme.pk).exists()

    def test_needs_a_reason(self, asked, acme):
        with pytest.raises(ReasonMissing):
            services.close_organization(**asked, reason=" ")
        acme.refresh_from_db()
        assert acme.is_active

    def test_can_be_opened_again_without_its_events(self, asked, acme, event):
        services.close_organization(**asked, reason="Over")
        services.reopen_organization(**asked)
        acme.refresh_from_db()
        event.refresh_from_db()
        assert (acme.status, event.status) == ("active", "cancelled")


class TestTheStep:
    @pytest.fixture
    def client(self, client, staff):
        client.force_login(staff, backend="allauth.account.auth_backends.AuthenticationBackend")
        return client

    def test_says_before_what_will_happen(self, client, acme, event, book):
        book(event, 2)
        book(event, 3)
        page = client.get(reverse("admin:orgs_organization_close", args=[acme.pk])).content.decode()
        assert "1 event that goes ahead is cancelled for good." in page
        assert "The people of 2 bookings are told" in page
        assert "1 member has no rights there any more" in page

    def test_closes_and_stands_in_the_log(self, client, acme):
        page = reverse("admin:orgs_organization_close", args=[acme.pk])
        assert client.post(page, {"reason": ""}).status_code == 422
        assert client.post(page, {"reason": "Asked for it"}).status_code == 302
        acme.refresh_from_db()
        assert acme.status == "closed"
        lines = LogEntry.objects.filter(object_id=str(acme.pk)).values_list("change_message", flat=True)
        assert set(lines) == {"Close the organization: Asked for it"}

    def test_is_the_only_way_to_another_status(self, client, acme):
        client.post(
            reverse("admin:orgs_organization_change", args=[acme.pk]),
            {"name": "Acme", "slug": acme.slug, "domain": "", "status": "closed"},
        )
        acme.refresh_from_db()
        assert (acme.name, acme.status) == ("Acme", "active")
