from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from notifications import states
from notifications.delivery import deliver, wait_after
from notifications.models import Notification
from notifications.taking import take
from tests.factories import UserFactory


@pytest.mark.django_db
class TestDeliver:
    def test_mails_and_marks_it_delivered(self, owe, hand_over, delivering, sink):
        row = owe()
        hand_over(row)
        assert delivering(row).delivered == 1
        assert (row.status, row.lease_until, row.last_error) == ("delivered", None, None)
        assert row.delivered_at >= row.sent_at
        assert sink.addresses == [row.user.email]

    def test_uses_one_connection_for_many(self, owe, hand_over, delivering, sink):
        rows = [owe() for _ in range(5)]
        hand_over(*rows)
        delivering(*rows)
        assert (len(sink.mails), sink.connections) == (5, 1)

    def test_mails_once_however_often_the_message_comes(self, owe, hand_over, delivering, sink):
        row = owe()
        hand_over(row)
        for _ in range(3):
            delivering(row)
        assert len(sink.mails) == 1

    def test_may_be_quicker_than_the_relay_s_mark(self, owe, delivering, sink, now):
        row = owe()
        states.claim(in_bulk=False, most=10, now=now)
        delivering(row)
        assert row.status == "delivered"
        assert states.handed_over([row.pk], lease=now + states.RELAY_LEASE, now=now) == 0
        row.refresh_from_db()
        assert row.status == "delivered"

    def test_leaves_alone_what_was_put_off(self, owe, delivering, sink, now):
        row = owe(due_at=now + timedelta(hours=1))
        delivering(row)
        assert (row.status, sink.mails) == ("pending", [])

    def test_leaves_alone_what_another_sender_has_in_hand(self, owe, hand_over, delivering, sink, now):
        row = owe()
        hand_over(row)
        assert len(take([row.pk], now=timezone.now())) == 1
        delivering(row)
        assert (row.status, sink.mails) == ("sent", [])

    def test_knows_a_message_of_no_row(self, post, db):
        assert deliver([UserFactory().pk], room=post, clock=timezone.now).delivered == 0

    def test_lets_the_rest_go_when_asked_to_end(self, owe, hand_over, delivering, sink):
        rows = [owe() for _ in range(3)]
        hand_over(*rows)
        outcome = delivering(*rows, stopping=lambda: len(sink.mails) == 1)
        assert len(outcome.undone) == 2
        assert [row.status for row in rows] == ["delivered", "sent", "sent"]
        assert {row.lease_until for row in rows} == {None}

    def test_lets_the_rest_go_when_the_broker_is_lost_meanwhile(self, owe, hand_over, delivering, sink):
        rows = [owe() for _ in range(3)]
        hand_over(*rows)

        def lost_after_one():
            if len(sink.mails) == 1:
                raise ConnectionError

        with pytest.raises(ConnectionError):
            delivering(*rows, between=lost_after_one)
        assert sorted(Notification.objects.values_list("status", "lease_until")) == [
            ("delivered", None),
            ("sent", None),
            ("sent", None),
        ]


@pytest.mark.django_db
class TestWithoutMail:
    def test_an_erased_person_s_has_failed(self, owe, hand_over, delivering, sink):
        person = UserFactory(status="erased", email=None, name=None)
        row = owe(user_id=person.pk)
        hand_over(row)
        delivering(row)
        assert (row.status, row.last_error) == ("failed", "The person has left; there is no address.")
        assert sink.mails == []

    def test_a_suspended_person_s_is_none_of_these(self, owe, hand_over, delivering, sink):
        """They may hold a booking, and cannot sign in to look into their inbox."""
        row = owe(user_id=UserFactory(status="suspended").pk)
        hand_over(row)
        delivering(row)
        assert (row.status, sink.addresses) == ("delivered", [row.user.email])

    @pytest.mark.parametrize(("kind", "mails"), [("event_reminder", 0), ("booking_confirmed", 1)])
    def test_a_reminder_of_what_has_begun_stays_in_the_inbox(
        self, owe, hand_over, delivering, sink, now, kind, mails
    ):
        row = owe(kind, payload={"starts_at": now.isoformat()})
        hand_over(row)
        delivering(row)
        assert (row.status, len(sink.mails)) == ("delivered", mails)

    def test_a_reminder_is_mailed_until_then(self, owe, hand_over, delivering, sink, now):
        row = owe("event_reminder", payload={"starts_at": (now + timedelta(minutes=5)).isoformat()})
        hand_over(row)
        delivering(row)
        assert (row.status, len(sink.mails)) == ("delivered", 1)

    def test_a_reminder_of_no_moment_cannot_be_put_into_words(self, owe, hand_over, delivering, sink):
        row = owe("event_reminder", payload={"starts_at": "tomorrow"})
        hand_over(row)
        delivering(row)
        assert row.last_error.startswith("It cannot be put into words")

    def test_one_that_cannot_be_put_into_words_waits_alone(self, owe, hand_over, delivering, sink):
        poison, other = owe(payload={"starts_at": "tomorrow"}), owe()
        hand_over(poison, other)
        delivering(poison, other)
        assert (poison.status, other.status) == ("pending", "delivered")
        assert poison.last_error.startswith("It cannot be put into words: ValueError")

    def test_one_that_can_never_be_put_into_words_fails_at_last(
        self, owe, hand_over, delivering, sink, settings
    ):
        settings.DELIVERY_TRIES = 1
        poison = owe(payload={"starts_at": "tomorrow"})
        hand_over(poison)
        delivering(poison)
        assert poison.status == "failed"

    def test_words_with_line_breaks_make_no_headers(self, owe, hand_over, delivering, sink):
        row = owe(
            user_id=UserFactory(name="Ada\nBcc: all@example.test").pk, payload={"title": "A\nBcc: x@y.test"}
        )
        hand_over(row)
        delivering(row)
        assert row.status == "delivered"
        [mail] = sink.mails
        assert (mail["Bcc"], mail["Subject"]) == (None, "You are going to A Bcc: x@y.test")


@pytest.mark.django_db
class TestOvertaken:
    @pytest.fixture
    def story(self, owe, hand_over, delivering, now):
        """The first of two messages about one booking comes to its delivery after the second; `before`: how
        long before it, by the clock, it was owed."""

        def telling(first, second, *, before=timedelta(minutes=1), was=None, **facts):
            at = now - timedelta(minutes=1)
            older = owe(first, at=at - before, payload=was or {})
            same = {"user_id": older.user_id, "event_id": older.event_id, "booking_id": older.booking_id}
            newer = owe(second, at=at, **{**same, **facts})
            hand_over(older, newer)
            delivering(newer)
            delivering(older)
            return older, newer

        return telling

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            ("booking_confirmed", "booking_cancelled"),
            ("booking_confirmed", "booking_confirmed"),
            ("booking_waitlisted", "waitlist_promoted"),
            ("booking_confirmed", "event_cancelled"),
            ("event_updated", "event_cancelled"),
            ("event_updated", "event_updated"),
            ("event_reminder", "booking_cancelled"),
        ],
    )
    def test_is_delivered_without_a_mail(self, story, sink, first, second):
        older, newer = story(first, second)
        assert (older.status, older.superseded_by) == ("delivered", newer.pk)
        assert len(sink.mails) == 1

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            ("booking_confirmed", "event_updated"),
            ("booking_confirmed", "event_reminder"),
            ("event_updated", "booking_confirmed"),
        ],
    )
    def test_is_not_what_is_about_something_else(self, story, sink, first, second):
        older, _ = story(first, second)
        assert (older.status, older.superseded_by) == ("delivered", None)
        assert len(sink.mails) == 2

    @pytest.mark.parametrize("before", [timedelta(0), timedelta(seconds=-3)])
    @pytest.mark.parametrize(
        ("first", "second", "becomes"),
        [
            ("booking_waitlisted", "waitlist_promoted", {"booking_version": 2}),
            ("booking_confirmed", "booking_cancelled", {"booking_version": 2}),
            ("event_reminder", "booking_cancelled", {"booking_version": 2}),
            ("event_updated", "event_updated", {"sequence": 1}),
            ("event_reminder", "event_updated", {"sequence": 1}),
            ("booking_confirmed", "event_cancelled", {"sequence": 1}),
        ],
    )
    def test_is_what_tells_of_an_earlier_state_whatever_the_clocks_said(
        self, story, sink, before, first, second, becomes
    ):
        older, newer = story(first, second, before=before, payload=becomes)
        assert (older.status, older.superseded_by) == ("delivered", newer.pk)
        assert len(sink.mails) == 1

    @pytest.mark.parametrize("before", [timedelta(0), timedelta(seconds=3)])
    @pytest.mark.parametrize(
        ("first", "second", "was"),
        [
            ("waitlist_promoted", "booking_waitlisted", {"booking_version": 2}),
            ("booking_cancelled", "booking_confirmed", {"booking_version": 2}),
            ("event_updated", "event_updated", {"sequence": 1}),
            ("event_reminder", "event_updated", {"sequence": 1}),
        ],
    )
    def test_is_never_what_tells_of_a_later_state(self, story, sink, before, first, second, was):
        """Somebody is promoted by a run that looked at the clock before they changed their party."""
        later, _ = story(first, second, before=before, was=was)
        assert (later.status, later.superseded_by) == ("delivered", None)
        assert len(sink.mails) == 2

    @pytest.mark.parametrize("kind", ["booking_confirmed", "waitlist_promoted"])
    def test_is_not_a_booking_s_message_that_waited_but_it_says_where_the_event_is_now(
        self, story, sink, kind
    ):
        moved = {
            "sequence": 1,
            "place": "",
            "starts_at": "2030-07-01T17:00:00+00:00",
            "ends_at": None,
            "online_url": "https://meet.example.org/2",
        }
        older, _ = story(kind, "event_updated", payload=moved)
        assert older.superseded_by is None
        [_, mail] = sink.mails
        words = mail.get_body(["plain"]).get_content()
        assert "1 July 2030" in words
        assert "https://meet.example.org/2" in words
        assert "Town hall" not in words
        assert "Row A, seat 3" in words
        [calendar] = [part.get_content() for part in mail.iter_attachments()]
        assert "SEQUENCE:1\n" in calendar.replace("\r", "")
        assert "DTEND" not in calendar
        older.refresh_from_db()
        assert older.payload["sequence"] == 0

    def test_leaves_a_booking_s_message_of_the_newest_place_as_it_is(self, story, sink):
        story(
            "booking_confirmed", "event_updated", was={"sequence": 2}, payload={"sequence": 1, "place": "X"}
        )
        assert "Town hall" in sink.mails[1].get_body(["plain"]).get_content()

    def test_keeps_the_link_to_join_from_who_waits(self, story, sink):
        moved = {"sequence": 1, "place": "The park", "online_url": "https://meet.example.org/2"}
        story("booking_waitlisted", "event_updated", payload=moved)
        words = sink.mails[1].get_body(["plain"]).get_content()
        assert "The park" in words
        assert "meet.example.org" not in words

    def test_is_the_first_of_two_that_tell_of_the_same_state(self, story, sink):
        resent = {"again": True}
        older, newer = story("booking_confirmed", "booking_confirmed", payload=resent)
        assert older.superseded_by == newer.pk
        assert len(sink.mails) == 1

    def test_is_told_apart_even_where_a_count_is_no_number(self, story, sink):
        older, newer = story("booking_confirmed", "booking_cancelled", was={"booking_version": "first"})
        assert older.superseded_by == newer.pk

    def test_is_found_by_an_index_of_what_a_person_was_told_of_an_event(self, owe, now):
        row = owe()
        for _ in range(300):
            owe(user_id=row.user_id)
        asked = []

        def note(execute, sql, params, many, context):
            asked.append((sql, params))
            return execute(sql, params, many, context)

        with connection.execute_wrapper(note):
            assert take([row.pk], now=timezone.now())
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE notifications")
            cursor.execute(f"EXPLAIN {asked[0][0]}", asked[0][1])
            plan = "\n".join(line for (line,) in cursor.fetchall())
        assert "idx_notifications_event_user on notifications told" in plan
        assert "idx_notifications_inbox" not in plan

    def test_is_news_of_two_bookings_only_once_both_are_given_back(
        self, owe, hand_over, delivering, sink, now
    ):
        other = uuid4()
        news = {"payload": {"others": [{"booking_id": str(other), "booking_version": 1}]}}
        older = [owe("event_reminder", at=now - timedelta(minutes=1), **news) for _ in range(2)]
        first, second = older
        cancelled = [
            owe("booking_cancelled", user_id=row.user_id, event_id=row.event_id, booking_id=booking)
            for row, booking in [(first, first.booking_id), (second, second.booking_id), (second, other)]
        ]
        hand_over(*older, *cancelled)
        delivering(*cancelled)
        delivering(*older)
        assert (first.status, first.superseded_by) == ("delivered", None)
        assert second.superseded_by in {cancelled[1].pk, cancelled[2].pk}

    def test_is_not_what_was_told_to_somebody_else(self, story, sink):
        older, _ = story("booking_confirmed", "booking_cancelled", user_id=UserFactory().pk)
        assert older.superseded_by is None
        assert len(sink.mails) == 2


class TestWaitAfter:
    def test_doubles_up_to_six_hours(self):
        minutes = [wait_after(n) / timedelta(minutes=1) for n in range(1, 12)]
        assert all(2**n <= each <= 1.5 * 2**n for n, each in enumerate(minutes[:8]))
        assert all(360 <= each <= 540 for each in minutes[9:])
