"""What an organizer does to other people's bookings, and the list of people to take away."""

from io import BytesIO

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from openpyxl import load_workbook

from bookings.models import Booking, BookingHistory
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
