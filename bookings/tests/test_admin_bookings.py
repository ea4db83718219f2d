"""What an organizer does to other people's bookings, and the list of people to take away."""

from datetime import timedelta
from io import BytesIO

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from bookings.models import Booking, BookingHistory
from events.models import Event
from orgs.admin_site import model_admin
from tests.factories import EventFactory, MembershipFactory, UserFactory
from tests.truth import assert_sound, messages_about, seats_of

pytestmark = pytest.mark.django_db
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture
def organizer(client):
    membership = MembershipFactory(organizer=True)
    client.force_login(membership.user, backend=BACKEND)
    return membership


@pytest.fixture
def evening(organizer):
    return EventFactory(org=organizer.organization, with_layout=True)


def page(name, row):
    return reverse(f"admin:{name}", args=[row.pk])


class TestChangingSeats:
    def test_gives_back_what_is_too_many(self, client, evening, book):
        booking = book(evening, 4)
        answer = client.post(page("bookings_booking_seats", booking), {"seats": 2, "version": 1})
        assert answer.status_code == 302
        assert seats_of(booking) == [7, 8]  # of row B, where four fit side by side
        assert_sound(evening.pk)

    def test_takes_the_seats_that_are_ticked(self, client, evening, book):
        booking = book(evening, 2)
        client.post(page("bookings_booking_seats", booking), {"seat_no": [9, 10], "version": 1})
        assert seats_of(booking) == [9, 10]

    def test_is_refused_when_the_booking_has_changed_meanwhile(self, client, evening, book, modify):
        booking = book(evening, 4)
        modify(booking, 3)
        answer = client.post(page("bookings_booking_seats", booking), {"seats": 2, "version": 1})
        assert answer.status_code == 422
        assert "has changed since" in answer.content.decode()

    def test_stands_in_the_history_as_the_organizers_and_in_the_log(self, client, organizer, evening, book):
        booking = book(evening, 4)
        client.post(page("bookings_booking_seats", booking), {"seats": 2, "version": 1})
        assert BookingHistory.objects.get(action="modified").details["by"] == "organizer"
        assert LogEntry.objects.get().object_id == str(booking.pk)


class TestOtherSteps:
    def test_cancel_a_booking(self, client, evening, book):
        booking = book(evening, 4)
        assert "cannot be undone" in client.get(page("bookings_booking_cancel", booking)).content.decode()
        client.post(page("bookings_booking_cancel", booking))
        booking.refresh_from_db()
        assert booking.is_cancelled
        assert messages_about(booking) == ["booking_confirmed", "booking_cancelled"]

    def test_send_a_message_again(self, client, evening, book):
        booking = book(evening, 4)
        client.post(page("bookings_booking_resend", booking))
        assert messages_about(booking) == ["booking_confirmed", "booking_confirmed"]


class TestCancellingSeveral:
    LIST = "admin:bookings_booking_changelist"

    @pytest.fixture
    def three(self, evening, book):
        return [book(evening, 2) for _ in range(3)]

    def choose(self, client, bookings, **more):
        chosen = {"action": "cancel_bookings", "_selected_action": [booking.pk for booking in bookings]}
        return client.post(reverse(self.LIST), {**chosen, **more}, follow=True).content.decode()

    def standing(self, bookings):
        statuses = dict(Booking.objects.values_list("pk", "status"))
        return [statuses[booking.pk] for booking in bookings]

    def test_asks_first_and_carries_the_choice_along(self, client, three):
        page = self.choose(client, three[:2])
        assert page.count('name="_selected_action"') == 2
        assert self.standing(three) == ["confirmed"] * 3

    def test_cancels_each_and_leaves_a_line_for_each(self, client, three):
        assert "2 bookings are cancelled" in self.choose(client, three[:2], confirmed="yes")
        assert self.standing(three) == ["cancelled", "cancelled", "confirmed"]
        assert {entry.object_id for entry in LogEntry.objects.all()} == {str(one.pk) for one in three[:2]}

    def test_goes_on_after_one_that_is_refused(self, client, evening, organizer, three, book):
        over = EventFactory(org=organizer.organization)
        late = book(over, 1)
        Event.objects.filter(pk=over.pk).update(booking_closes_at=timezone.now() - timedelta(hours=1))
        Event.objects.filter(pk=over.pk).update(status="completed", event_date=timezone.now())
        page = self.choose(client, [late, three[0]], confirmed="yes")
        assert "1 booking is cancelled" in page
        assert self.standing([late, *three]) == ["confirmed", "cancelled", "confirmed", "confirmed"]
        assert str(late.user) in page

    def test_changes_nothing_where_more_are_chosen_than_a_request_should_change(
        self, client, three, monkeypatch
    ):
        monkeypatch.setattr(model_admin, "MOST_AT_ONCE", 2)
        assert "at most 2 of them" in self.choose(client, three, confirmed="yes")
        assert self.standing(three) == ["confirmed"] * 3


class TestBookingForSomebody:
    def ask(self, client, event, email, **more):
        form = client.get(page("events_event_book", event)).context["form"]
        return client.post(
            page("events_event_book", event),
            {"email": email, "seats": 2, "key": form.initial["key"], **more},
        )

    def test_books_for_a_member(self, client, organizer, evening):
        member = MembershipFactory(organization=organizer.organization)
        self.ask(client, evening, member.user.email.upper())
        booking = Booking.objects.get()
        assert (booking.user_id, booking.seats) == (member.user_id, 2)
        assert BookingHistory.objects.get().details["by"] == "organizer"

    def test_books_for_somebody_who_came_before(self, client, evening, book):
        guest = UserFactory()
        book(evening, 1, user=guest)
        self.ask(client, evening, guest.email)
        assert Booking.objects.filter(user=guest).count() == 2

    def test_does_not_tell_whether_a_stranger_has_an_account(self, client, evening):
        stranger = MembershipFactory().user
        known = self.ask(client, evening, stranger.email).context["form"].errors["email"]
        unknown = self.ask(client, evening, "nobody@example.test").context["form"].errors["email"]
        assert known == unknown
        assert not Booking.objects.exists()

    def test_books_once_for_two_clicks(self, client, evening, organizer):
        member = MembershipFactory(organization=organizer.organization)
        form = client.get(page("events_event_book", evening)).context["form"]
        sent = {"email": member.user.email, "seats": 2, "key": form.initial["key"]}
        for _ in range(2):
            client.post(page("events_event_book", evening), sent)
        assert Booking.objects.count() == 1

    def test_puts_them_in_line_only_if_that_was_ticked(self, client, evening, organizer, book):
        member = MembershipFactory(organization=organizer.organization)
        book(evening, 10)
        assert self.ask(client, evening, member.user.email).status_code == 422
        self.ask(client, evening, member.user.email, or_wait="on")
        assert Booking.objects.get(user=member.user).is_waiting


class TestAttendees:
    @pytest.fixture
    def people(self, evening, book):
        book(evening, 2, user=UserFactory(name="=HYPERLINK(0)", email="ada@example.test"))
        book(evening, 8)
        book(evening, 3, user=UserFactory(name="Wanda"), or_wait=True)

    def test_are_a_table_with_their_seats(self, client, evening, people):
        answer = client.get(page("events_event_attendees", evening))
        lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
        assert lines[0] == "Name,Address,State,Seats,Which seats,Waiting number,Booked"
        assert lines[1].startswith("'=HYPERLINK(0),ada@example.test,confirmed,2,")
        assert "Row A, seat 1; Row A, seat 2" in lines[1]
        assert "Wanda" in lines[3]
        assert ",waiting,3,,1," in lines[3]

    def test_are_a_workbook_without_formulas(self, client, evening, people):
        answer = client.get(page("events_event_attendees", evening), {"form": "xlsx"})
        sheet = load_workbook(BytesIO(b"".join(answer.streaming_content))).active
        cells = [cell for row in sheet.iter_rows() for cell in row]
        assert not [cell for cell in cells if cell.data_type == "f"]
        assert "'=HYPERLINK(0)" in [cell.value for cell in cells]

    def test_are_kept_from_who_may_not_take_them_away(self, client, organizer, evening):
        organizer.permissions = {"deny": ["export_attendees"]}
        organizer.save()
        assert client.get(page("events_event_attendees", evening)).status_code == 403

    def test_leave_a_line_in_the_log(self, client, organizer, evening, people):
        client.get(page("events_event_attendees", evening))
        assert "exported" in LogEntry.objects.get().get_change_message()
