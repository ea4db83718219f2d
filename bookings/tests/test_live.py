"""What the services tell to whoever looks at an event."""

import pytest

from notifications import live


class TestWhoeverLooksAtAnEvent:
    @pytest.fixture
    def shown(self, monkeypatch, django_capture_on_commit_callbacks):
        """The events that a call shows anew once it is committed."""

        def showing(call) -> set:
            shown = set()

            class Announcer:
                def announce(self, kind, ids):
                    if kind == live.EVENTS:
                        shown.update(ids)

            monkeypatch.setattr(live, "ANNOUNCER", Announcer())
            with django_capture_on_commit_callbacks(execute=True):
                call()
                assert not shown
            return shown

        return showing

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
