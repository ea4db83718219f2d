"""What the services tell to whoever looks at an event."""

from datetime import timedelta

import pytest

from bookings import services
from notifications import fanout, live


@pytest.fixture
def announced(monkeypatch, django_capture_on_commit_callbacks):
    """The events, or people, for whom a call announces something once it is committed."""

    def announcing(call, of) -> set:
        announced = set()

        class Announcer:
            def announce(self, kind, ids):
                if kind == of:
                    announced.update(ids)

        monkeypatch.setattr(live, "ANNOUNCER", Announcer())
        with django_capture_on_commit_callbacks(execute=True):
            call()
            assert not announced
        return announced

    return announcing


class TestWhoeverLooksAtAnEvent:
    @pytest.fixture
    def shown(self, announced):
        return lambda call: announced(call, live.EVENTS)

    def test_sees_it_anew_when_it_is_booked(self, event, book, shown):
        assert shown(lambda: book(event, 2)) == {event.pk}

    def test_sees_it_anew_when_seats_are_given_back(self, event, book, cancel, shown):
        booking = book(event, 2)
        assert shown(lambda: cancel(booking)) == {event.pk}

    def test_sees_it_anew_when_a_booking_is_changed(self, event, book, modify, shown):
        booking = book(event, 2)
        assert shown(lambda: modify(booking, 1)) == {event.pk}

    def test_sees_it_anew_when_it_becomes_larger(self, event, change_capacity, shown):
        assert shown(lambda: change_capacity(event, 20)) == {event.pk}

    def test_sees_it_anew_when_it_moves(self, event, reschedule, shown):
        assert shown(lambda: reschedule(event, place="Garden")) == {event.pk}

    def test_sees_it_anew_when_it_is_cancelled(self, event, cancel_event, shown):
        assert shown(lambda: cancel_event(event)) == {event.pk}


class TestThePeopleOfAnEvent:
    """Their pages count what they have not read."""

    @pytest.fixture
    def told(self, announced):
        return lambda call: announced(call, live.PEOPLE)

    @pytest.fixture
    def people(self, event, book, reschedule, now):
        """Who has unread news of a change."""
        people = {book(event, 1).user_id for _ in range(3)}
        reschedule(event, place="The park")
        services.run_jobs(now=now + timedelta(minutes=2))
        return people

    def test_count_anew_when_what_they_were_told_is_rewritten(self, event, people, reschedule, told, now):
        reschedule(event, place="The hall", now=now + timedelta(minutes=3))
        assert told(lambda: services.run_jobs(now=now + timedelta(minutes=5))) == people

    def test_count_anew_when_what_they_were_told_is_overtaken(self, event, people, told, now):
        def supersede():
            fanout.supersede(
                ["event_updated"], by="booking_confirmed", event_id=event.pk, user_ids=people, now=now
            )

        assert told(supersede) == people

    def test_count_anew_when_it_spoke_of_what_they_gave_back(self, event, people, told, now):
        person = min(people)
        [booking] = event.bookings.filter(user_id=person)

        def leave_out():
            fanout.leave_out(
                booking.pk,
                types=["event_updated"],
                by="booking_confirmed",
                event_id=event.pk,
                user_id=person,
                now=now,
            )

        assert told(leave_out) == {person}
