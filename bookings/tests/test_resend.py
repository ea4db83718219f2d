from datetime import timedelta

import pytest

from bookings import services
from bookings.errors import AlreadyCancelled
from tests.truth import last_message_about, messages_about

pytestmark = pytest.mark.django_db


class TestResend:
    def test_tells_how_the_booking_stands_now(self, event, book, modify, organizer, now):
        booking = modify(book(event, 4), 2)
        services.resend(booking_id=booking.pk, actor_id=organizer.pk, now=now)
        assert messages_about(booking) == ["booking_confirmed"] * 3
        assert last_message_about(booking)["seats"] == 2
        assert last_message_about(booking)["again"] is True

    def test_tells_who_waits_that_they_wait(self, event, book, organizer, now):
        book(event, 10)
        waiting = book(event, 2, or_wait=True)
        services.resend(booking_id=waiting.pk, actor_id=organizer.pk, now=now)
        assert messages_about(waiting) == ["booking_waitlisted"] * 2

    def test_is_one_message_for_two_clicks(self, event, book, organizer, now):
        booking = book(event, 4)
        moment = now.replace(second=10)
        for seconds in (0, 5, 90):
            at = moment + timedelta(seconds=seconds)
            services.resend(booking_id=booking.pk, actor_id=organizer.pk, now=at)
        assert messages_about(booking) == ["booking_confirmed"] * 3

    def test_refuses_a_booking_that_is_cancelled(self, event, book, cancel, organizer, now):
        with pytest.raises(AlreadyCancelled):
            services.resend(booking_id=cancel(book(event, 4)).pk, actor_id=organizer.pk, now=now)
