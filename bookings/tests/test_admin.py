from datetime import timedelta

import pytest
from django.urls import reverse

from bookings.models import Booking, BookingHistory
from events.models import Event
from tests.factories import EventFactory, MembershipFactory, UserFactory
from tests.truth import assert_sound

pytestmark = pytest.mark.django_db

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture
def staff(client):
    client.force_login(UserFactory(is_platform_staff=True), backend=BACKEND)
    return client


def draft_as_sent(draft: Event, **changes) -> dict:
    """What the form of a draft sends back when nothing but `changes` was typed."""
    local = draft.local(draft.event_date)
    names = ("title", "category", "visibility", "time_zone", "total_slots", "queue_rule")
    return {
        **{name: getattr(draft, name) for name in names},
        "max_seats_per_booking": 50,
        "max_seats_per_person": 50,
        "event_date_0": f"{local:%Y-%m-%d}",
        "event_date_1": f"{local:%H:%M}",
        **changes,
    }


def moved(event: Event, **changes) -> dict:
    starts = event.local(changes.get("event_date", event.event_date))
    return {
        "event_date_0": f"{starts:%Y-%m-%d}",
        "event_date_1": f"{starts:%H:%M}",
        "ends_at_0": "",
        "ends_at_1": "",
        "time_zone": changes.get("time_zone", event.time_zone),
        "place": changes.get("place", event.place),
    }


class TestTheDoor:
    def test_sends_strangers_to_the_sites_own_sign_in(self, client):
        answer = client.get(reverse("admin:index"))
        assert answer.status_code == 302
        sign_in = client.get(answer.url)
        assert sign_in.url.startswith(reverse("account_login"))

    def test_is_shut_for_everybody_who_is_not_platform_staff(self, client):
        client.force_login(MembershipFactory(admin=True).user, backend=BACKEND)
        assert client.get(reverse("admin:login")).status_code == 403

    def test_changes_passwords_in_the_one_place_for_it(self, staff):
        assert staff.get(reverse("admin:password_change")).url == reverse("account_change_password")

    def test_shuts_when_staff_are_suspended(self, client):
        person = UserFactory(is_platform_staff=True)
        client.force_login(person, backend=BACKEND)
        person.status = "suspended"
        person.save()
        assert client.get(reverse("admin:index")).status_code == 302


class TestEveryPage:
    @pytest.mark.parametrize(
        "model",
        [
            "orgs_organization",
            "orgs_user",
            "orgs_membership",
            "orgs_invite",
            "events_event",
            "bookings_booking",
            "bookings_bookinghistory",
            "notifications_notification",
        ],
    )
    def test_of_a_list_opens_and_searches(self, staff, book, event, model):
        book(event, 2)
        url = reverse(f"admin:{model}_changelist")
        assert staff.get(url).status_code == 200
        assert staff.get(url, {"q": "one"}).status_code in (200, 302)

    def test_of_a_booking_shows_its_seats_and_changes_nothing(self, staff, book, event):
        booking = book(event, 2)
        url = reverse("admin:bookings_booking_change", args=[booking.pk])
        assert b"confirmed" in staff.get(url).content
        staff.post(url, {"seats": 1, "status": "waiting"})
        booking.refresh_from_db()
        assert (booking.seats, booking.status) == (2, "confirmed")


class TestTheFormOfAnEvent:
    def words(self, event, **changes):
        return {name: changes.get(name, getattr(event, name)) for name in Event.WORDS}

    def test_saves_the_words_and_leaves_what_a_sale_has_changed_meanwhile(self, staff, book, event):
        url = reverse("admin:events_event_change", args=[event.pk])
        staff.get(url)
        book(event, 4)
        staff.post(url, {**self.words(event, title="Renamed"), "total_slots": 500, "available_slots": 500})
        event.refresh_from_db()
        assert (event.title, event.total_slots, event.available_slots) == ("Renamed", 10, 6)

    def test_lets_everything_of_a_draft_be_changed(self, staff):
        draft = EventFactory(draft=True)
        url = reverse("admin:events_event_change", args=[draft.pk])
        facts = draft_as_sent(draft, total_slots=25, event_date_1="19:30", time_zone="America/New_York")
        assert staff.post(url, facts).status_code == 302
        draft.refresh_from_db()
        assert (draft.total_slots, draft.available_slots) == (25, 25)
        assert f"{draft.local(draft.event_date):%H:%M %Z}" in ("19:30 EST", "19:30 EDT")

    def test_shows_and_keeps_times_on_the_clock_of_the_event(self, staff):
        draft = EventFactory(draft=True, time_zone="Asia/Tokyo")
        url = reverse("admin:events_event_change", args=[draft.pk])
        shown = staff.get(url).context["adminform"].form.initial["event_date"]
        assert shown == draft.local(draft.event_date).replace(tzinfo=None)
        staff.post(url, draft_as_sent(draft))
        kept = Event.objects.get(pk=draft.pk).event_date
        assert kept == draft.event_date.replace(second=0, microsecond=0)

    def test_refuses_an_hour_that_the_clocks_skip(self, staff):
        draft = EventFactory(draft=True)
        url = reverse("admin:events_event_change", args=[draft.pk])
        answer = staff.post(url, draft_as_sent(draft, event_date_0="2031-03-30", event_date_1="02:30"))
        assert "put forward" in str(answer.context["errors"])

    def test_publishes_drafts(self, staff):
        draft = EventFactory(draft=True)
        staff.post(
            reverse("admin:events_event_changelist"),
            {"action": "publish_events", "_selected_action": [draft.pk]},
        )
        draft.refresh_from_db()
        assert draft.is_published


class TestTheButtons:
    def test_move_an_event(self, staff, event):
        url = reverse("admin:events_event_move", args=[event.pk])
        assert staff.get(url).status_code == 200
        starts = event.event_date + timedelta(days=1)
        staff.post(url, moved(event, event_date=starts, place="Elsewhere"))
        event.refresh_from_db()
        assert (event.place, event.sequence) == ("Elsewhere", 1)

    def test_refuse_an_end_before_the_start(self, staff, event):
        starts = event.event_date
        early = {"ends_at_0": starts.strftime("%Y-%m-%d"), "ends_at_1": "00:00"}
        url = reverse("admin:events_event_move", args=[event.pk])
        answer = staff.post(url, {**moved(event, event_date=starts.replace(hour=12)), **early})
        assert answer.status_code == 422
        assert b"must end after it starts" in answer.content

    def test_change_the_number_of_seats(self, staff, book, event):
        book(event, 4)
        url = reverse("admin:events_event_capacity", args=[event.pk])
        answer = staff.post(url, {"total_slots": 3})
        assert answer.status_code == 422
        assert b"4 seats are booked" in answer.content
        assert staff.post(url, {"total_slots": 4}).status_code == 302
        assert_sound(event.pk)

    def test_cancel_an_event_for_a_reason(self, staff, book, event):
        book(event, 4)
        url = reverse("admin:events_event_cancel", args=[event.pk])
        assert b"The people of 1 booking will be told" in staff.get(url).content
        assert staff.post(url, {"reason": ""}).status_code == 422
        assert staff.post(url, {"reason": "Storm"}).status_code == 302
        event.refresh_from_db()
        assert (event.status, event.cancellation_reason) == ("cancelled", "Storm")

    def test_cancel_bookings_after_asking(self, staff, book, event):
        booking = book(event, 2)
        url = reverse("admin:bookings_booking_changelist")
        chosen = {"action": "cancel_bookings", "_selected_action": [booking.pk]}
        assert b"Cancel these bookings?" in staff.post(url, chosen).content
        assert Booking.objects.get().is_confirmed
        staff.post(url, {**chosen, "confirmed": "yes"})
        assert Booking.objects.get().is_cancelled
        assert BookingHistory.objects.get(action="cancelled").details["by"] == "organizer"

    def test_promote_out_of_turn_with_a_reason(self, staff, book, event):
        book(event, 9)
        book(event, 2, or_wait=True)
        small = book(event, 1, or_wait=True)
        url = reverse("admin:bookings_booking_promote", args=[small.pk])
        assert staff.post(url, {"reason": "Wheelchair user"}).status_code == 302
        small.refresh_from_db()
        assert small.is_confirmed
        line = BookingHistory.objects.get(booking_id=small.pk, action="promoted")
        assert (line.details["reason"], line.details["stood_at"]) == ("Wheelchair user", 2)
