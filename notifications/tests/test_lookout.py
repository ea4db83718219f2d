from datetime import timedelta

import pytest

from notifications import states
from notifications.lookout import LATE, THROUGH_EVERYTHING, Lookout

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


@pytest.fixture
def looked_from(monkeypatch):
    """Where each look began."""
    begun, is_anything_due = [], states.is_anything_due

    def noting(*, now, since):
        begun.append(since)
        return is_anything_due(now=now, since=since)

    monkeypatch.setattr(states, "is_anything_due", noting)
    return begun


@pytest.mark.django_db
class TestLookout:
    def test_goes_through_everything_first(self, owe, now):
        owe(due_at=now - 100 * HOUR)
        assert Lookout().sees_anything(now=now)

    def test_does_not_look_again_where_nothing_was(self, now, looked_from):
        lookout = Lookout()
        lookout.sees_anything(now=now)
        lookout.sees_anything(now=now + 3 * SECOND)
        lookout.sees_anything(now=now + 6 * SECOND)
        assert looked_from[1:] == [now - LATE, now + 3 * SECOND - LATE]

    def test_stays_where_something_was(self, owe, now, looked_from):
        lookout, _ = Lookout(), owe(due_at=now - HOUR)
        assert lookout.sees_anything(now=now)
        assert lookout.sees_anything(now=now + 3 * SECOND)
        assert looked_from[1] == looked_from[0] < now - HOUR

    def test_sees_what_is_committed_a_little_after_its_moment(self, owe, now):
        lookout = Lookout()
        assert not lookout.sees_anything(now=now)
        owe(due_at=now - LATE / 2)
        assert lookout.sees_anything(now=now + SECOND)

    def test_sees_what_is_committed_long_after_its_moment_within_a_minute(self, owe, now):
        lookout = Lookout()
        assert not lookout.sees_anything(now=now)
        owe(due_at=now - HOUR)
        assert not lookout.sees_anything(now=now + SECOND)  # which is what it saves
        assert lookout.sees_anything(now=now + THROUGH_EVERYTHING)
        assert lookout.begins < now - HOUR  # where the claim begins, too

    def test_goes_through_everything_when_the_clock_was_set_back(self, owe, now):
        lookout = Lookout()
        assert not lookout.sees_anything(now=now)
        owe(due_at=now - 2 * HOUR)
        assert lookout.sees_anything(now=now - HOUR)
