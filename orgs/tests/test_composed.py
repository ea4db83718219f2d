"""Queries composed once give what the ORM gives."""

from uuid import uuid4

import pytest
from django.db.models import Count

from bookings import services
from bookings.models import Booking
from events.models import Event
from orgs.composed import Composed, read_together
from orgs.models import User
from orgs.models.user import PERSON
from tests.factories import EventFactory, UserFactory

pytestmark = pytest.mark.django_db

EVENTS = Composed(lambda event: Event.objects.select_related("org", "totals").filter(pk=event))
HELD = Composed(
    lambda event, person: (
        Booking.objects.filter(event_id=event, user_id=person, status="confirmed")
        .annotate(seats_held=Count("booked_seats"))
        .order_by("created_at")[:2]
    ),
    parameters=2,
)


def facts(instance) -> dict:
    return {field.attname: getattr(instance, field.attname) for field in instance._meta.concrete_fields}


class TestComposed:
    def test_gives_the_same_instance_as_the_queryset(self):
        event = EventFactory(layout={"sections": [{"name": "Stalls", "rows": [{"label": "A", "seats": 8}]}]})
        for _ in range(2):
            found = EVENTS.get(event.pk)
            assert facts(found) == facts(Event.objects.get(pk=event.pk))
        assert found.layout["sections"][0]["name"] == "Stalls"

    def test_reads_what_is_joined_in_the_same_query(self, now, django_assert_num_queries):
        event = EventFactory(total_slots=5)
        services.book(event_id=event.pk, user_id=UserFactory().pk, seats=2, now=now)
        with django_assert_num_queries(1):
            found = EVENTS.get(event.pk)
            assert (found.org.name, found.totals.confirmed_bookings) == (event.org.name, 1)

    def test_leaves_out_what_is_not_there(self):
        event = EventFactory(org=None)
        assert EVENTS.get(event.pk).org is None
        assert not hasattr(EVENTS.get(event.pk), "totals")

    def test_says_that_there_is_none(self):
        with pytest.raises(Event.DoesNotExist):
            EVENTS.get(uuid4())

    def test_takes_several_parameters_limits_and_annotations(self, now):
        event, person = EventFactory(total_slots=20), UserFactory()
        for seats in (1, 2, 3):
            services.book(event_id=event.pk, user_id=person.pk, seats=seats, now=now)
        services.book(event_id=event.pk, user_id=UserFactory().pk, seats=5, now=now)
        assert [booking.seats_held for booking in HELD.all(event.pk, person.pk)] == [1, 2]
        assert HELD.all(person.pk, event.pk) == []


class TestReadTogether:
    def questions(self, event, person):
        return (PERSON, (person.pk,)), (EVENTS, (event.pk,)), (HELD, (event.pk, person.pk))

    def answers(self, event, person):
        return PERSON.all(person.pk), EVENTS.all(event.pk), HELD.all(event.pk, person.pk)

    def test_is_one_statement_with_the_answers_of_three(self, now, django_assert_num_queries):
        event, person = EventFactory(total_slots=20), UserFactory()
        for seats in (1, 2, 3):
            services.book(event_id=event.pk, user_id=person.pk, seats=seats, now=now)
        alone = self.answers(event, person)
        with django_assert_num_queries(1), read_together(*self.questions(event, person)):
            together = self.answers(event, person)
        assert together == alone
        assert [facts(each[0]) for each in together] == [facts(each[0]) for each in alone]
        assert [booking.seats_held for booking in together[2]] == [1, 2]
        assert together[1][0].totals.confirmed_bookings == 3

    @pytest.mark.parametrize("missing", ["person", "event", "both"])
    def test_finds_what_is_there_beside_what_is_not(self, missing, django_assert_num_queries):
        event, person = EventFactory(), UserFactory()
        if missing != "event":
            person = User(pk=uuid4())
        if missing != "person":
            event = Event(pk=uuid4())
        with django_assert_num_queries(1), read_together(*self.questions(event, person)):
            people, events, held = self.answers(event, person)
        assert (len(people), len(events), held) == (missing == "event", missing == "person", [])

    def test_answers_each_question_once_and_none_after_the_block(self, django_assert_num_queries):
        event, person = EventFactory(), UserFactory()
        with read_together(*self.questions(event, person)):
            PERSON.get(person.pk)
            User.objects.filter(pk=person.pk).update(name="Another")
            with django_assert_num_queries(1):
                assert PERSON.get(person.pk).name == "Another"
        with django_assert_num_queries(1):
            EVENTS.get(event.pk)

    def test_is_over_when_the_block_fails(self, django_assert_num_queries):
        event, person = EventFactory(), UserFactory()
        with pytest.raises(ZeroDivisionError), read_together(*self.questions(event, person)):
            1 / 0  # noqa: B018
        with django_assert_num_queries(1):
            PERSON.get(person.pk)

    def test_reads_nothing_where_nothing_is_asked(self, django_assert_num_queries):
        with django_assert_num_queries(0), read_together():
            pass
