"""The line in Redis: everybody's place in it, or no answer; never a part of the line for the whole."""

from uuid import uuid4

import pytest

from bookings import queue_mirror
from bookings.seats_side import SEATS
from events.models import Event

pytestmark = pytest.mark.django_db(transaction=True)


class TestQueueMirror:
    @pytest.fixture
    def full(self, event, book):
        book(event, 10)
        return event

    def test_tells_the_place_of_everybody_in_line(self, full, book, cancel, modify):
        ada, ben, cleo = (book(full, 2, or_wait=True) for _ in range(3))
        assert [queue_mirror.place(party) for party in (ada, ben, cleo)] == [1, 2, 3]
        cancel(ada)
        assert [queue_mirror.place(party) for party in (ben, cleo)] == [1, 2]
        ben = modify(ben, 3)
        assert [queue_mirror.place(party) for party in (cleo, ben)] == [1, 2]

    def test_lets_go_who_is_promoted(self, event, book, cancel):
        first = book(event, 10)
        ada, ben = book(event, 10, or_wait=True), book(event, 10, or_wait=True)
        cancel(first)
        assert queue_mirror.place(ben) == 1
        assert queue_mirror.place(ada) is None

    def test_is_no_answer_once_it_was_wiped_and_is_made_anew(self, full, book, check):
        ada = book(full, 2, or_wait=True)
        SEATS.client.delete(*queue_mirror._keys(full.pk)[:2])
        ben = book(full, 2, or_wait=True)
        assert queue_mirror.place(ben) is None  # not even a part of the line is taken for the whole
        assert check().is_clean
        assert [queue_mirror.place(party) for party in (ada, ben)] == [1, 2]

    def test_is_mended_when_somebody_is_missing_or_should_be_gone(self, full, book, check):
        ada, ben = book(full, 2, or_wait=True), book(full, 2, or_wait=True)
        SEATS.client.zrem(f"event:{full.pk}:waitlist", str(ada.pk))
        [drift] = check(full).drifts
        assert (drift.what, drift.was, drift.should_be, drift.mended) == ("queue", 1, 2, True)
        assert [queue_mirror.place(party) for party in (ada, ben)] == [1, 2]

    def test_is_not_begun_by_who_came_first_and_follows_second(self, full, book, check, monkeypatch):
        late = []
        with monkeypatch.context() as patch:
            patch.setattr(queue_mirror, "follow", lambda *facts, **more: late.append((facts, more)))
            ada = book(full, 2, or_wait=True)
        ben, cleo = book(full, 2, or_wait=True), book(full, 2, or_wait=True)
        [(facts, more)] = late
        queue_mirror.follow(*facts, **more)
        assert [queue_mirror.place(party) for party in (ada, ben, cleo)] == [None] * 3
        assert check().is_clean
        assert [queue_mirror.place(party) for party in (ada, ben, cleo)] == [1, 2, 3]

    def test_misses_nobody_who_joins_or_leaves_while_it_is_made_anew(self, full, book, cancel):
        ada, ben = book(full, 2, or_wait=True), book(full, 2, or_wait=True)
        version = Event.objects.get(pk=full.pk).version
        came = []

        def line():
            yield from [(ada.pk, ada.waiting_number), (ben.pk, ben.waiting_number)]
            cancel(ada)
            came.append(book(full, 2, or_wait=True))

        assert queue_mirror.rebuild(full.pk, version=version, line=line()) is None
        assert [queue_mirror.place(party) for party in (ada, ben, *came)] == [None, 1, 2]

    def test_is_left_to_the_later_of_two_who_make_it_anew(self, full, book):
        ada = book(full, 2, or_wait=True)
        version = Event.objects.get(pk=full.pk).version
        number = ada.waiting_number

        def line():
            yield uuid4(), number + 7
            queue_mirror.rebuild(full.pk, version=version, line=[(ada.pk, number)])

        queue_mirror.rebuild(full.pk, version=version, line=line())
        assert queue_mirror.read([full.pk]) == {full.pk: queue_mirror.Length(1, number, number)}
        assert SEATS.client.keys(f"event:{full.pk}:waitlist:*") == [
            f"event:{full.pk}:waitlist:epoch".encode()
        ]

    def test_is_left_alone_while_people_join_quickly(self, full, book, check, monkeypatch):
        """What PostgreSQL said a moment before Redis was asked differs, and every time by something else."""
        book(full, 2, or_wait=True)
        read, joins, rebuilt = queue_mirror.read, iter((1, 2)), []

        def after_some_have_joined(event_ids):
            for _ in range(next(joins)):
                book(full, 2, or_wait=True)
            return read(event_ids)

        monkeypatch.setattr(queue_mirror, "read", after_some_have_joined)
        monkeypatch.setattr(queue_mirror, "rebuild", lambda *_, **__: rebuilt.append(full.pk))
        assert check(full).drifts == []
        assert rebuilt == []

    def test_is_no_drift_where_it_only_was_behind(self, full, book, check, monkeypatch):
        """Off by the same at both looks, by chance; made anew, it turns out that nothing was missing."""
        book(full, 2, or_wait=True)
        read = queue_mirror.read

        def a_moment_too_late(event_ids):
            book(full, 2, or_wait=True)
            return read(event_ids)

        monkeypatch.setattr(queue_mirror, "read", a_moment_too_late)
        assert check(full).drifts == []
