"""The inbox, through HTTP."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from uuid_utils.compat import uuid7

from notifications.models import Notification
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
FACTS = {
    "title": "Jazz night",
    "place": "Town hall",
    "starts_at": "2040-07-01T17:00:00Z",
    "ends_at": None,
    "time_zone": "Europe/Berlin",
    "sequence": 0,
    "seats": 2,
    "seat_labels": ["Row A, seat 1", "Row A, seat 2"],
}


def words(response) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def tell(person, kind="booking_confirmed", *, at=None, booking_id=None, **facts) -> Notification:
    return Notification.objects.create(
        user=person,
        type=kind,
        payload={**FACTS, **facts},
        booking_id=booking_id or uuid7(),
        event_id=uuid7(),
        created_at=at or timezone.now(),
    )


@pytest.fixture
def person(client):
    person = UserFactory()
    client.force_login(person)
    return person


class TestTheInbox:
    def test_is_for_who_is_signed_in(self, client):
        assert client.get("/notifications/")["Location"] == "/accounts/login/?next=/notifications/"

    def test_holds_ones_own_newest_first(self, client, person):
        now = timezone.now()
        tell(person, title="Old", at=now - timedelta(hours=1))
        tell(person, title="New", at=now)
        tell(UserFactory(), title="Theirs")
        told = client.get("/notifications/").context["told"]
        assert [message.title for message in told] == ["You are going to New", "You are going to Old"]

    @pytest.mark.parametrize("poison", [{"starts_at": "tomorrow"}, {"seats": "two"}, {"seat_labels": 7}])
    def test_says_of_what_cannot_be_put_into_words_only_what_kind_it_is(self, client, person, poison):
        now = timezone.now()
        tell(person, "waitlist_promoted", **poison, at=now)
        tell(person, title="Jazz", at=now - timedelta(hours=1))
        told = client.get("/notifications/").context["told"]
        assert [message.title for message in told] == [
            "Promoted from the waitlist",
            "You are going to Jazz",
        ]

    def test_leads_to_the_booking(self, client, person):
        row = tell(person)
        assert f'href="/bookings/{row.booking_id}/"' in client.get("/notifications/").content.decode()

    @pytest.mark.parametrize(
        ("kind", "facts", "sentence"),
        [
            ("booking_confirmed", {}, "You are going to Jazz night"),
            ("booking_confirmed", {}, "2 seats: Row A, seat 1; Row A, seat 2."),
            ("booking_confirmed", {}, "Sunday, 1 July 2040, 19:00 (Berlin time)"),
            ("booking_confirmed", {"seat_labels": ["7", "8"]}, "2 seats: number 7, 8."),
            ("booking_confirmed", {"change": {"seats": [3, 2]}}, "Your booking for Jazz night is changed"),
            ("booking_waitlisted", {"waiting_number": 8, "seat_labels": []}, "with number 8"),
            ("booking_waitlisted", {"change": {"capacity": 5}}, "It now has 5 seats"),
            ("booking_waitlisted", {"change": {"seats": [2, 3]}, "waiting_number": 9}, "with number 9"),
            ("booking_cancelled", {"reason": "person"}, "You gave back 2 seats."),
            ("booking_cancelled", {"reason": "organizer", "words": "Sorry."}, "Sorry."),
            ("booking_cancelled", {"reason": "not_promoted"}, "No seats became free for Jazz night"),
            ("waitlist_promoted", {}, "Your turn: you are going to Jazz night"),
            ("event_updated", {}, "It now starts on Sunday, 1 July 2040, 19:00 (Berlin time), at Town hall."),
            ("event_cancelled", {"reason": "Rain."}, "Jazz night is cancelled"),
            ("event_reminder", {}, "Coming up: Jazz night"),
        ],
    )
    def test_says_each_thing_in_words(self, client, person, kind, facts, sentence):
        tell(person, kind, **facts)
        assert sentence in words(client.get("/notifications/"))

    def test_survives_a_row_with_no_facts(self, client, person):
        for kind in Notification.Type.values:
            Notification.objects.create(user=person, type=kind, created_at=timezone.now())
        assert client.get("/notifications/").status_code == 200

    def test_survives_a_zone_that_nobody_knows(self, client, person):
        tell(person, time_zone="Mars/Olympus_Mons")
        assert "17:00 (UTC)" in words(client.get("/notifications/"))

    def test_goes_on_by_key(self, client, person):
        now = timezone.now()
        for number in range(45):
            tell(person, at=now - timedelta(minutes=number // 3))
        seen, query = [], {}
        while True:
            page = client.get("/notifications/", query).context["page"]
            seen += [row.pk for row in page]
            if not page.later:
                break
            query = {"after": page.later}
        assert len(seen) == len(set(seen)) == 45

    def test_says_when_there_is_nothing(self, client, person):
        assert "Nothing to tell you yet" in words(client.get("/notifications/"))

    @pytest.mark.parametrize("rows", [1, 19])
    def test_costs_three_questions_however_many(
        self, client, person, django_assert_num_queries, django_capture_on_commit_callbacks, rows
    ):
        for _ in range(rows):
            tell(person)
        with django_capture_on_commit_callbacks(execute=True):  # from here on the session has its copy
            client.get("/notifications/")
        with django_assert_num_queries(3):
            client.get("/notifications/")


class TestReading:
    def test_counts_what_is_unread_in_the_header(self, client, person):
        tell(person)
        tell(person)
        assert (
            '<span class="visually-hidden">unread:</span> <span>2</span>'
            in client.get("/events/").content.decode()
        )

    def test_marks_one(self, client, person):
        row, other = tell(person), tell(person)
        assert client.post(f"/notifications/{row.pk}/read/")["Location"] == "/notifications/"
        row.refresh_from_db()
        other.refresh_from_db()
        assert row.read_at
        assert other.read_at is None

    def test_keeps_the_first_moment(self, client, person):
        row = tell(person)
        client.post(f"/notifications/{row.pk}/read/")
        row.refresh_from_db()
        first = row.read_at
        client.post(f"/notifications/{row.pk}/read/")
        row.refresh_from_db()
        assert row.read_at == first

    def test_marks_all_of_ones_own(self, client, person):
        tell(person)
        theirs = tell(UserFactory())
        client.post("/notifications/read/")
        assert not Notification.objects.filter(user=person).unread().exists()
        theirs.refresh_from_db()
        assert theirs.read_at is None

    def test_never_marks_anothers(self, client, person):
        theirs = tell(UserFactory())
        assert client.post(f"/notifications/{theirs.pk}/read/").status_code == 404
        theirs.refresh_from_db()
        assert theirs.read_at is None

    @pytest.mark.parametrize("path", ["/notifications/read/", "/notifications/{pk}/read/"])
    def test_is_never_done_by_looking(self, client, person, path):
        row = tell(person)
        assert client.get(path.format(pk=row.pk)).status_code == 405
        row.refresh_from_db()
        assert row.read_at is None

    def test_shows_what_is_unread_alone(self, client, person):
        tell(person, title="Unread")
        row = tell(person, title="Read")
        client.post(f"/notifications/{row.pk}/read/")
        told = client.get("/notifications/", {"show": "unread"}).context["told"]
        assert [message.title for message in told] == ["You are going to Unread"]

    def test_goes_back_to_what_is_unread(self, client, person):
        row = tell(person)
        answer = client.post(f"/notifications/{row.pk}/read/", {"show": "unread"})
        assert answer["Location"] == "/notifications/?show=unread"
        assert "You have read everything" in words(client.get(answer["Location"]))

    def test_says_how_long_ago_in_one_unit(self, client, person):
        tell(person, at=timezone.now() - timedelta(days=2, hours=6))
        assert "2\xa0days ago" in client.get("/notifications/").content.decode()
