"""A change of an event told to very many: in turns, in flat memory, and across any kill."""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from importlib import import_module

import pytest
from django.conf import settings
from django.db import connection

from bookings import services
from bookings.models import EventJob
from bookings.services import jobs, news
from events.models import Event
from happening import postgres_programs
from notifications.models import Notification
from orgs.only_run import key, only_run
from tests.factories import EventFactory
from tests.truth import assert_sound

cancelling = import_module("bookings.services.cancel_event")
TWO_MINUTES = timedelta(minutes=2)
RUN = """
import django; django.setup()
from datetime import datetime
from bookings import services
from bookings.services import jobs, news, remind
from importlib import import_module
for module in (news, remind, import_module("bookings.services.cancel_event")):
    module.PAGE = 4
services.run_jobs(now=datetime.fromisoformat("{now}"))
"""


def fill(event, people: int) -> None:
    """As many people with a booking of one seat, by SQL: the box office would take its time."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH person AS (
                INSERT INTO users (email, name)
                SELECT 'guest-' || n || '@crowd.test', 'Guest' FROM generate_series(1, %s) AS n RETURNING id
            ), booking AS (
                INSERT INTO bookings (event_id, user_id, seats, status)
                SELECT %s, id, 1, 'confirmed' FROM person RETURNING id, event_id, user_id
            ), line AS (
                INSERT INTO booking_history (booking_id, action, event_id, user_id, details)
                SELECT id, 'created', event_id, user_id, '{}' FROM booking
            )
            INSERT INTO booking_seats (booking_id, event_id, seat_no)
            SELECT id, event_id, row_number() OVER () FROM booking
            """,
            [people, event.pk],
        )


def told(kind: str):
    return Notification.objects.filter(type=kind)


@pytest.mark.django_db
class TestJobs:
    def test_take_turns_a_page_each(self, book, reschedule, now, monkeypatch):
        monkeypatch.setattr(news, "PAGE", 2)
        large, small = EventFactory(), EventFactory()
        for _ in range(8):
            book(large, 1)
        book(small, 1)
        reschedule(large, place="The park")
        reschedule(small, place="The park", now=now + timedelta(seconds=1))
        seen = []
        page = jobs._next_page

        def watched(job, *, now):
            more = page(job, now=now)
            seen.append((job.event_id == small.pk, told("event_updated").filter(event_id=small.pk).exists()))
            return more

        monkeypatch.setattr(jobs, "_next_page", watched)
        services.run_jobs(now=now + TWO_MINUTES + timedelta(seconds=1))
        assert [is_small for is_small, _ in seen] == [False, True, False, False, False, False]
        assert seen[1][1]

    def test_stop_when_their_time_is_up_and_go_on_in_the_next_run(self, book, reschedule, now, monkeypatch):
        monkeypatch.setattr(news, "PAGE", 1)
        event = EventFactory()
        for _ in range(3):
            book(event, 1)
        reschedule(event, place="The park")
        due = now + TWO_MINUTES
        assert services.run_jobs(now=due, for_at_most=timedelta(microseconds=1)) == 0
        assert services.run_jobs(now=due) == 1
        assert told("event_updated").count() == 3

    def test_are_left_to_a_run_that_is_under_way(self, book, cancel_event, now):
        event = EventFactory()
        book(event, 1)
        cancel_event(event)
        with connection.copy().cursor() as other:
            other.execute("SELECT pg_advisory_lock(%s, %s)", key("run_event_jobs"))
            assert services.run_jobs(now=now) == 0
            other.connection.close()
        assert EventJob.objects.filter(finished_at=None).exists()


@pytest.mark.django_db
class TestFiveThousandPeople:
    @pytest.fixture
    def crowd(self, now):
        event = EventFactory(total_slots=6_000)
        fill(event, 5_000)
        return event

    def test_are_told_once_of_three_changes_and_only_that_it_is_cancelled_after_all(
        self, crowd, reschedule, cancel_event, now
    ):
        for number, place in enumerate(("The park", "The hall", "The pier")):
            reschedule(crowd, place=place, now=now + timedelta(seconds=30 * number))
        cancel_event(crowd, now=now + timedelta(seconds=100))
        services.run_jobs(now=now + TWO_MINUTES)
        assert not told("event_updated").exists()
        people = told("event_cancelled").values_list("user_id", flat=True)
        assert len(people) == len(set(people)) == 5_000

    def test_are_told_in_few_statements(self, crowd, reschedule, now, django_assert_max_num_queries):
        reschedule(crowd, place="The park")
        with django_assert_max_num_queries(60):
            services.run_jobs(now=now + TWO_MINUTES)
        assert told("event_updated").count() == 5_000

    def test_have_what_they_were_not_told_yet_rewritten_or_ended(self, crowd, reschedule, cancel_event, now):
        reschedule(crowd, place="The park")
        services.run_jobs(now=now + TWO_MINUTES)
        reschedule(crowd, place="The hall", now=now + TWO_MINUTES)
        services.run_jobs(now=now + 2 * TWO_MINUTES)
        assert told("event_updated").filter(payload__place="The hall").count() == 5_000
        cancel_event(crowd, now=now + 2 * TWO_MINUTES)
        services.run_jobs(now=now + 2 * TWO_MINUTES)
        assert told("event_updated").filter(status="delivered").exclude(superseded_by=None).count() == 5_000
        assert told("event_cancelled").filter(status="pending").count() == 5_000


@pytest.mark.django_db(transaction=True)
class TestKilled:
    """The process is ended as `kill -9` would, at every point of every page, and another one goes on."""

    @pytest.fixture
    def moved(self, book, reschedule):
        event = EventFactory(total_slots=10)
        fill(event, 10)
        book(event, 1, or_wait=True)
        reschedule(event, place="The park")
        return event

    def run(self, *, now, crash_at: str = "") -> int:
        """Work off what is due in a process of its own; returns its exit code."""
        environment = {
            **os.environ,
            "DATABASE_URL": postgres_programs.used().url,
            "HAPPENING_CRASH_AT": crash_at,
        }
        done = subprocess.run(
            [sys.executable, "-c", RUN.format(now=now.isoformat())],
            env=environment,
            cwd=settings.BASE_DIR,
            capture_output=True,
            timeout=60,
        )
        assert done.returncode in (0, -signal.SIGKILL), done.stderr.decode()
        with only_run("run_event_jobs", patience=10) as is_over:  # PostgreSQL takes a moment to see the end
            assert is_over
        return done.returncode

    def test_anywhere_in_a_change_each_person_is_told_once(self, moved, now):
        due = now + TWO_MINUTES
        assert self.run(now=due, crash_at="fan_out:page_planned:2") == -signal.SIGKILL
        assert told("event_updated").count() == 4
        assert self.run(now=due, crash_at="fan_out:page_committed") == -signal.SIGKILL
        assert told("event_updated").count() == 8
        services.run_jobs(now=due)
        people = told("event_updated").values_list("user_id", flat=True)
        assert len(people) == len(set(people)) == 11

    def test_anywhere_in_reminding_each_person_is_reminded_once(self, moved, now):
        EventJob.objects.all().delete()
        moment = now + timedelta(hours=1)
        event = Event.objects.get(pk=moved.pk)
        Event.objects.filter(pk=event.pk).update(event_date=moment + timedelta(days=1), ends_at=None)
        services.owe_reminders(now=moment)
        assert self.run(now=moment, crash_at="fan_out:page_planned:2") == -signal.SIGKILL
        assert told("event_reminder").count() == 4
        assert self.run(now=moment, crash_at="fan_out:page_committed") == -signal.SIGKILL
        assert told("event_reminder").count() == 8
        assert self.run(now=moment) == 0
        services.owe_reminders(now=moment + timedelta(minutes=1))
        services.run_jobs(now=moment + timedelta(minutes=1))
        confirmed = set(event.bookings.confirmed().values_list("user_id", flat=True))
        assert sorted(told("event_reminder").values_list("user_id", flat=True)) == sorted(confirmed)
        assert len(confirmed) == 10

    def test_anywhere_in_cancelling_each_person_is_told_once(self, moved, cancel_event, now):
        cancel_event(moved)
        assert self.run(now=now, crash_at="fan_out:page_planned:2") == -signal.SIGKILL
        assert self.run(now=now, crash_at="fan_out:page_committed") == -signal.SIGKILL
        assert told("event_cancelled").count() == 8
        assert self.run(now=now) == 0
        assert told("event_cancelled").count() == 11
        assert not told("event_updated").exists()
        assert_sound(moved.pk)
