import re
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from bookings.admin import event_steps as steps
from bookings.box_office import BoxOffice
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

    @pytest.mark.parametrize("nonsense", ["nope", "9" * 40, "\udce9", "[" * 2000])
    def test_takes_no_organization_that_is_none(self, staff, nonsense):
        """The form is drawn again with what was chosen, which no key can be."""
        answer = staff.post(reverse("admin:events_event_add"), {"org": nonsense.encode(errors="replace")})
        assert answer.status_code == 400

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

    def test_move_an_event_online_to_another_link(self, staff, event):
        url = reverse("admin:events_event_move", args=[event.pk])
        staff.post(url, {**moved(event), "online_url": "https://meet.example.org/2"})
        event.refresh_from_db()
        assert (event.online_url, event.sequence) == ("https://meet.example.org/2", 1)
        words = {**TestTheFormOfAnEvent().words(event), "online_url": "https://elsewhere.example.org/"}
        assert staff.post(reverse("admin:events_event_change", args=[event.pk]), words).status_code == 302
        event.refresh_from_db()
        assert event.online_url == "https://meet.example.org/2"

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


class TestThePreview:
    @pytest.fixture
    def shown(self, staff):
        draft = EventFactory(draft=True, with_layout=True, online_url="https://example.org/join")
        return staff.get(reverse("admin:events_event_preview", args=[draft.pk])).content.decode()

    def test_says_when_booking_begins_and_offers_no_form_for_it(self, shown):
        assert "Booking opens once the event is published" in shown
        assert "/book/" not in shown
        page = shown[shown.index("<main") :]
        assert page.count('<fieldset class="inert" disabled>') == 2  # the number of seats, and the map
        assert page.count("<form") == page.count('<form class="form"><fieldset') + page.count(
            '<form class="map-form"><fieldset'
        )

    def test_leads_nowhere_that_is_not_there(self, shown, staff):
        for address in set(re.findall(r'(?:href|action)="(/[^"#]*)"', shown)):
            assert staff.get(address).status_code in (200, 302, 405), address


class TestAPublishedEvent:
    def test_has_the_link_to_send_to_people(self, staff, event):
        shown = staff.get(reverse("admin:events_event_change", args=[event.pk])).content.decode()
        address = event.org.address(reverse("event_detail", args=[event.pk]))
        assert f'<a href="{address}">' in shown


class TestARefusal:
    """Read by the organizer, about somebody else."""

    def test_of_seats_beyond_the_limit_speaks_of_the_person(self, staff, event):
        Event.objects.filter(pk=event.pk).update(max_seats_per_person=2)
        guest = MembershipFactory(organization=event.org).user
        url = reverse("admin:events_event_book", args=[event.pk])
        form = {"email": guest.email, "key": "8d8ac610-566d-4ef0-9c22-186b2a5ed793"}
        answer = staff.post(url, {**form, "seats": 3})
        assert answer.status_code == 422
        assert "this person holds 0 already" in answer.content.decode()

    def test_of_the_chosen_bookings_speaks_of_the_person(self, staff, book, event):
        booking = book(event, 2)
        url = reverse("admin:bookings_booking_seats", args=[booking.pk])
        answer = staff.post(url, {"seats": 1, "version": booking.version + 7})
        assert "The booking has changed since" in answer.content.decode()


class TestTheLog:
    def lines(self, row) -> list[str]:
        entries = LogEntry.objects.filter(object_id=str(row.pk)).order_by("pk")
        return [entry.get_change_message() for entry in entries]

    def test_has_one_line_for_each_step_with_what_was_asked(self, staff, event):
        staff.post(reverse("admin:events_event_capacity", args=[event.pk]), {"total_slots": 20})
        staff.post(reverse("admin:events_event_cancel", args=[event.pk]), {"reason": "Storm"})
        assert self.lines(event) == [
            "Change the number of seats: 20",
            "Cancel the event, for good: Storm",
        ]

    def test_has_none_for_what_was_refused(self, staff, book, event):
        book(event, 4)
        answer = staff.post(reverse("admin:events_event_capacity", args=[event.pk]), {"total_slots": 2})
        assert answer.status_code == 422
        assert self.lines(event) == []

    def test_has_one_for_each_booking_of_an_action(self, staff, book, event):
        bookings = [book(event, 1), book(event, 1)]
        chosen = {"action": "cancel_bookings", "_selected_action": [each.pk for each in bookings]}
        staff.post(reverse("admin:bookings_booking_changelist"), {**chosen, "confirmed": "yes"})
        assert [self.lines(each) for each in bookings] == [["Cancel the booking"]] * 2


@pytest.mark.django_db(transaction=True)
class TestTheLogAndTheStep:
    """One transaction: whatever ends the process, neither is there without the other."""

    def test_are_both_there_when_the_process_ends_after_the_commit(self, client, event, monkeypatch):
        client.force_login(UserFactory(is_platform_staff=True), backend=BACKEND)
        monkeypatch.setattr(steps, "Done", self.ends)
        with pytest.raises(EndedHere):
            client.post(reverse("admin:events_event_cancel", args=[event.pk]), {"reason": "Storm"})
        event.refresh_from_db()
        assert event.is_cancelled
        assert LogEntry.objects.get(object_id=str(event.pk)).change_message.endswith("Storm")

    def test_are_neither_there_when_it_ends_before(self, client, event, monkeypatch):
        client.force_login(UserFactory(is_platform_staff=True), backend=BACKEND)
        monkeypatch.setattr(BoxOffice, "close", self.ends)
        with pytest.raises(EndedHere):
            client.post(reverse("admin:events_event_cancel", args=[event.pk]), {"reason": "Storm"})
        event.refresh_from_db()
        assert not event.is_cancelled
        assert not LogEntry.objects.exists()

    @staticmethod
    def ends(*args, **facts):
        raise EndedHere


class EndedHere(Exception):
    """As if the process were killed here."""
