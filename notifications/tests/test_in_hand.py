"""Mails in hand while a database, a mail server or another sender has a bad day."""

import threading
import time
from contextlib import closing
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone

from notifications.delivery import deliver
from notifications.models import Notification
from notifications.post_room import PostRoom
from notifications.reconcile import reconcile
from tests.factories import UserFactory


def end_session(pid: int) -> None:
    """PostgreSQL's, as when it restarts."""
    with closing(connection.copy()) as other, other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


@pytest.mark.django_db(transaction=True)
class TestPostgresAway:
    """With three windows: the first one's mail is taken while the others' are under way."""

    @pytest.fixture
    def room(self):
        room = PostRoom(3)
        yield room
        room.close()

    @pytest.fixture
    def owe_at(self, owe, room):
        """Owe a message to somebody of that window."""

        def owing(window):
            person = next(each for each in iter(uuid4, None) if room.window_of(each) == window)
            return owe(user_id=UserFactory(pk=person).pk)

        return owing

    @pytest.fixture
    def cut(self, owe_at, hand_over, room, sink):
        """Mails in hand when the session is cut; all were taken, and none is marked."""
        rows = quick, slow, slower = owe_at(0), owe_at(1), owe_at(2)
        hand_over(*rows)
        connection.ensure_connection()
        pid = connection.connection.info.backend_pid
        sink.on_mail[quick.user.email] = lambda: end_session(pid)
        sink.takes_seconds |= {slow.user.email: 0.5, slower.user.email: 1.5}
        with pytest.raises(DatabaseError):
            deliver([row.pk for row in rows], room=room, clock=timezone.now)
        connection.close()
        return rows

    def test_is_told_afterwards_what_was_mailed(self, cut, room, sink):
        deliver([], room=room, clock=timezone.now)
        assert {Notification.objects.get(pk=row.pk).status for row in cut} == {"delivered"}
        assert len(sink.mails) == 3

    def test_marks_nobody_who_comes_later_and_is_refused(self, cut, owe_at, hand_over, room, sink):
        later = [owe_at(2), owe_at(0)]
        for row in later:
            sink.answers[row.user.email] = "550 No such mailbox"
        hand_over(*later)
        for row in later:
            deliver([row.pk], room=room, clock=timezone.now)
            row.refresh_from_db()
            assert row.status == "failed"

    def test_mails_nobody_twice_whose_message_comes_again_after_the_lease(self, cut, hand_over, room, sink):
        afterwards = timezone.now() + timedelta(minutes=10)
        deliver([row.pk for row in cut], room=room, clock=lambda: afterwards)
        assert len(sink.mails) == 3


@pytest.mark.django_db(transaction=True)
class TestALease:
    def test_is_longer_than_the_mail_server_takes(self, owe, hand_over, post, sink, settings):
        """On clocks that run twenty times as fast: two minutes for a mail. Meanwhile another sender and
        what puts rows right look after it."""
        settings.EMAIL_TIMEOUT = 10
        row = owe()
        hand_over(row)
        sink.takes_seconds[row.user.email] = 6
        began = timezone.now()
        clock = lambda: began + 20 * (timezone.now() - began)  # noqa: E731

        def one():
            deliver([row.pk], room=post, clock=clock)
            connection.close()

        sender = threading.Thread(target=one)
        sender.start()
        with closing(PostRoom(1)) as room:
            while sender.is_alive():
                time.sleep(0.1)
                assert reconcile(now=clock()) == 0
                deliver([row.pk], room=room, clock=clock)
        sender.join()
        row.refresh_from_db()
        assert (row.status, len(sink.mails)) == ("delivered", 1)


@pytest.mark.django_db
class TestTheMailServer:
    def test_is_asked_again_later_when_it_says_not_now(self, owe, hand_over, delivering, sink):
        row = owe()
        hand_over(row)
        sink.answers[row.user.email] = "451 Try again later"
        delivering(row)
        assert (row.status, row.attempts, row.lease_until) == ("pending", 1, None)
        assert row.last_error == "The mail server said 451: Try again later"
        assert timedelta(seconds=50) < row.due_at - timezone.now() < timedelta(seconds=100)

    def test_is_asked_ten_times_at_most(self, owe, hand_over, delivering, sink):
        row = owe()
        sink.answers[row.user.email] = "451 Try again later"
        Notification.objects.update(attempts=9)
        hand_over(row)
        delivering(row)
        assert (row.status, row.attempts) == ("failed", 10)
        assert row.last_error == "Tried 10 times. The mail server said 451: Try again later"
        assert row.failed_at

    def test_decides_when_it_refuses_for_good(self, owe, hand_over, delivering, sink):
        refused, other = owe(), owe()
        sink.answers[refused.user.email] = "550 No such mailbox"
        hand_over(refused, other)
        delivering(refused, other)
        assert (refused.status, other.status) == ("failed", "delivered")
        assert refused.last_error == "The mail server said 550: No such mailbox"

    def test_costs_no_attempt_while_it_is_away(self, owe, hand_over, delivering, sink):
        sink.stop()
        rows = [owe(), owe()]
        hand_over(*rows)
        assert delivering(*rows).server_is_away
        assert {(row.status, row.attempts) for row in rows} == {("pending", 0)}
        assert all("cannot be reached" in row.last_error for row in rows)

    def test_costs_no_attempt_that_was_never_counted(self, owe, delivering, sink):
        """A message from long ago: its row is pending again, and no relay has claimed it."""
        sink.stop()
        row = owe()
        delivering(row)
        assert (row.status, row.attempts) == ("pending", 0)

    def test_that_does_not_know_the_house_costs_no_attempt(self, owe, hand_over, delivering, sink):
        row = owe()
        hand_over(row)
        sink.answers["MAIL"] = "550 Sender unknown"
        assert delivering(row).server_is_away
        assert (row.status, row.attempts) == ("pending", 0)
        assert row.last_error == "The mail server said 550: Sender unknown"

    def test_is_connected_to_again_when_it_had_cut_an_idle_connection(self, owe, hand_over, delivering, sink):
        rows = [owe(), owe()]
        sink.answers["cut after"] = 1
        hand_over(*rows)
        delivering(*rows)
        assert [row.status for row in rows] == ["delivered", "delivered"]
        assert (len(sink.mails), sink.connections) == (2, 2)
