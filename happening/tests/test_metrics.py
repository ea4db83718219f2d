"""/metrics: who may read it, what it tells, and that each part fails alone."""

import threading
import time
from datetime import timedelta
from functools import partial
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.db import IntegrityError, OperationalError, connection, transaction
from django.utils import timezone
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.parser import text_string_to_metric_families
from redis import RedisError

from bookings import counts, seat_counter, services
from bookings.errors import NotEnoughSeats
from bookings.reconcile import LAST_CHECK, reconcile
from bookings.seat_counter import CounterRefuses
from happening import job_runs
from happening.metrics import answers, brokers, database, jobs, lines, redis, telling
from happening.metrics.sources import Source
from notifications.models import Notification
from orgs.breaker import FAILURES, OPEN, Away, Breaker
from orgs.models import JobRun
from tests.factories import EventFactory, UserFactory

NOW = timezone.now


def samples(metrics):
    """Every sample's value, by name and labels."""
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for metric in metrics
        for sample in metric.samples
    }


@pytest.fixture
def by_itself(settings, tmp_path):
    """Nothing but this process in the directory of counts."""
    settings.METRICS_DIR = tmp_path
    return tmp_path


class TestWhoMayRead:
    @pytest.fixture(autouse=True)
    def quick(self, monkeypatch):
        monkeypatch.setattr(answers, "SOURCES", ())

    @pytest.fixture(autouse=True)
    def token(self, settings, by_itself):
        settings.METRICS_TOKEN = "a-long-secret-token"
        settings.METRICS_NETWORKS = ["127.0.0.0/8", "10.1.0.0/16", "::1/128"]

    def ask(self, client, address="203.0.113.9", **headers):
        return client.get("/metrics", REMOTE_ADDR=address, headers=headers)

    def test_who_shows_the_token_may_from_anywhere(self, client):
        answer = self.ask(client, Authorization="Bearer a-long-secret-token", X_Forwarded_For="1.2.3.4")
        assert answer.status_code == 200
        assert answer["Content-Type"].startswith("text/plain")
        assert "no-store" in answer["Cache-Control"]

    @pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "::1", "::ffff:10.1.2.3"])
    def test_a_neighbour_may(self, client, address):
        assert self.ask(client, address).status_code == 200

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"Authorization": "Bearer "},
            {"Authorization": "Bearer a-long-secret-toke"},
            {"Authorization": "Bearer ä-long-secret-token"},
            {"Authorization": "Basic a-long-secret-token"},
            {"X-Forwarded-For": "127.0.0.1"},
            {"X-Real-IP": "127.0.0.1"},
            {"Forwarded": "for=127.0.0.1"},
        ],
    )
    def test_a_stranger_finds_nothing(self, client, headers, settings):
        settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
        answer = self.ask(client, **headers)
        assert answer.status_code == 404
        assert answer.content == client.get("/nothing/here").content
        assert self.ask(client, "", **headers).status_code == 404  # by a socket

    @pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Forwarded-Proto", "Forwarded", "Via"])
    def test_the_proxy_is_nobodys_neighbour(self, client, header):
        assert self.ask(client, "127.0.0.1", **{header: "https"}).status_code == 404

    def test_without_a_token_in_the_settings_none_is_right(self, client, settings):
        settings.METRICS_TOKEN = ""
        for shown in ("Bearer ", "Bearer", "Bearer None"):
            assert self.ask(client, Authorization=shown).status_code == 404

    def test_is_only_for_reading(self, client):
        assert client.post("/metrics").status_code == 405


@pytest.mark.django_db(transaction=True)
class TestTheWhole:
    def test_is_well_formed_and_answers_every_question(self, client, by_itself, monkeypatch):
        monkeypatch.setattr(answers, "PATIENCE", 60)  # nobody waits here, and the machine may be busy
        monkeypatch.setattr(database, "LIMIT", "30s")
        for source in answers.SOURCES:
            source._asked_at = float("-inf")
        text = client.get("/metrics").content.decode()
        families = {family.name: family for family in text_string_to_metric_families(text)}
        up = {
            sample.labels["collector"]: sample.value for sample in families["happening_collector_up"].samples
        }
        questions = {name for source in answers.SOURCES for name in source._questions}
        assert up == dict.fromkeys({"processes", *questions}, 1)
        assert families["happening_processes"].samples
        assert text.count("# TYPE happening_collector_up ") == 1


class TestSources:
    @pytest.fixture
    def asked(self):
        return []

    def source(self, kept=10.0, **questions):
        return Source(questions, kept=kept)

    def read(self, source, seconds=5.0):
        source.ask()
        return samples(source.answers(until=time.monotonic() + seconds))

    def fine(self):
        return [GaugeMetricFamily("fine", "It is.", value=1)]

    def broken(self):
        raise OperationalError("the password is swordfish")

    def up(self, name):
        return ("happening_collector_up", ("collector", name))

    def test_fail_alone(self, caplog):
        found = self.read(self.source(first=self.broken, second=self.fine))
        assert found == {self.up("first"): 0, self.up("second"): 1, ("fine",): 1}
        assert "No figures of first: OperationalError" in caplog.text
        assert "swordfish" not in caplog.text

    def test_say_once_that_they_fail_and_once_that_they_answer_again(self, caplog, asked):
        caplog.set_level("INFO")

        def now_and_then():
            asked.append(1)
            return self.broken() if len(asked) <= 3 else self.fine()

        source = self.source(kept=0, first=now_and_then)
        for _ in range(5):
            self.read(source)
        words = [record.getMessage() for record in caplog.records]
        assert words == ["No figures of first: OperationalError", "There are figures of first again."]

    def test_are_not_waited_for_for_long_and_never_asked_twice_at_once(self, asked):
        go_on = threading.Event()

        def stuck() -> list[Metric]:
            asked.append(1)
            go_on.wait(10)
            return self.fine()

        source = self.source(kept=0, first=self.fine, second=stuck)
        for _ in range(3):
            found = self.read(source, seconds=0.1)
            assert (found[self.up("first")], found[self.up("second")]) == (1, 0)
        assert len(asked) == 1
        go_on.set()
        assert samples(source.answers(until=time.monotonic() + 5))[self.up("second")] == 1

    def test_are_asked_again_where_no_thread_was_to_be_had(self, monkeypatch):
        source = self.source(only=self.fine)

        def no_thread(_):
            raise RuntimeError("can't start new thread")

        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", no_thread)
            with pytest.raises(RuntimeError):
                source.ask()
        assert self.read(source)[self.up("only")] == 1

    def test_are_asked_once_in_a_while_however_many_read(self, asked):
        source = self.source(only=lambda: asked.append(1) or self.fine())
        readers = [threading.Thread(target=self.read, args=[source]) for _ in range(20)]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()
        assert len(asked) == 1
        source._asked_at -= 11
        self.read(source)
        assert len(asked) == 2


@pytest.mark.django_db
class TestQuestions:
    def test_the_oldest_message_that_waits(self):
        Notification.objects.create(
            user_id=UserFactory().pk, type="event_updated", payload={}, due_at=NOW() - timedelta(minutes=10)
        )
        found = samples(telling.backlog())
        assert found["happening_notifications", ("state", "due")] == 1
        assert found["happening_notifications_oldest_seconds", ("state", "due")] == pytest.approx(600, abs=30)

    def test_what_became_of_the_last_hours_messages(self, monkeypatch):
        person = UserFactory()
        Notification.objects.create(user_id=person.pk, type="event_updated", payload={}, due_at=NOW())
        name = "happening_notifications_last_hour"
        labels = [("state", "under_way"), ("type", "event_updated")]
        assert samples(telling.last_hour())[name, ("organization", telling.NOBODY), *labels] == 1
        monkeypatch.setattr(telling, "ORGANIZATIONS", 0)
        assert samples(telling.last_hour())[name, ("organization", telling.OTHERS), *labels] == 1

    def test_the_timetable(self):
        job_runs.begin("reconcile_slots", now=NOW() - timedelta(minutes=5))
        job_runs.end("reconcile_slots", JobRun.Outcome.DONE, now=NOW() - timedelta(minutes=5))
        job_runs.begin("reconcile_slots", now=NOW())
        job_runs.end("reconcile_slots", JobRun.Outcome.FAILED, now=NOW())
        found, label = samples(jobs.jobs()), ("job", "reconcile_slots")
        assert found["happening_job_age_seconds", label] == pytest.approx(300, abs=30)
        assert found["happening_job_late", label] == 1
        assert found["happening_job_failed", label] == 1
        assert found["happening_job_schedule_seconds", label] == 20
        assert ("happening_job_age_seconds", ("job", "advance_events")) not in found

    def test_the_last_check_of_slots(self):
        cache.set(
            LAST_CHECK, {"at": (NOW() - timedelta(seconds=40)).isoformat(), "events": 7, "drift": 3}, None
        )
        found = samples(lines.last_check())
        assert found["happening_slot_check_age_seconds",] == pytest.approx(40, abs=20)
        assert (found["happening_slot_check_events",], found["happening_slot_drift_seats",]) == (7, 3)
        cache.delete(LAST_CHECK)
        assert not list(lines.last_check())

    def test_the_database(self):
        found = samples([*database.server(), *database.sessions(), *database.tables(), *database.indexes()])
        index = [("index", "idx_booking_seats_unique"), ("rule", "yes"), ("table", "booking_seats")]
        assert ("happening_database_index_scans_total", *index) in found
        assert found["happening_database_invalid_indexes",] == 0
        assert found["happening_database_size_bytes",] > 1_000_000
        assert found["happening_database_connections_most",] >= 20

    @pytest.fixture
    def extension(self):
        """pg_stat_statements, where the server has it loaded: the embedded one has."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('shared_preload_libraries')")
            if "pg_stat_statements" not in cursor.fetchone()[0]:
                pytest.skip("This server has not loaded pg_stat_statements.")
            cursor.execute("CREATE SCHEMA IF NOT EXISTS watching")
            cursor.execute("CREATE EXTENSION pg_stat_statements SCHEMA watching")

    def test_the_slowest_statements_without_what_was_asked_for(self, extension):
        UserFactory(email="secret@example.test")
        found = samples(database.statements())
        assert found["happening_database_statements_known",] == 1
        told = [dict(labels)["statement"] for name, *labels in found if name.endswith("seconds_total")]
        assert 1 <= len(told) <= database.STATEMENTS
        assert all(len(statement) <= database.LONGEST for statement in told)
        assert "secret@example.test" not in str(found)

    def test_that_statements_are_not_known(self):
        [is_known] = database.statements()
        assert is_known.samples[0].value == 0

    def test_a_question_to_the_database_takes_two_seconds_at_most_and_changes_nothing(self):
        def slow():
            connection.cursor().execute("SELECT pg_sleep(5)")

        def meddling():
            connection.cursor().execute("DELETE FROM job_runs")

        for question, words in ((slow, "statement timeout"), (meddling, "read-only transaction")):
            with pytest.raises(Exception, match=words):
                database.within_limits(question)

    def test_redis(self):
        assert samples(redis.server())["happening_redis_memory_bytes",] > 0


class TestQueues:
    def test_celerys_on_redis(self, settings):
        settings.AMQP_URL = ""
        with redis.client("celery") as client:
            client.delete(brokers.celery.NAME)
            client.rpush(brokers.celery.NAME, "one", "two")
            assert samples(brokers.queues())["happening_queue_messages", ("queue", "celery")] == 2
            client.delete(brokers.celery.NAME)


def value(metric, *labels):
    return metric.labels(*labels)._value.get()


@pytest.mark.django_db
class TestCounts:
    def test_a_rule_that_was_broken_by_its_name(self):
        from happening.postgresql.base import VIOLATIONS

        before = value(VIOLATIONS, "job_run_outcome_is_known")
        with pytest.raises(IntegrityError), transaction.atomic():
            JobRun.objects.create(job="x", started_at=NOW(), finished_at=NOW(), outcome="odd")
        assert value(VIOLATIONS, "job_run_outcome_is_known") == before + 1

    def test_requests_to_book_by_outcome(self, django_capture_on_commit_callbacks):
        event = EventFactory(total_slots=2)
        book = partial(services.book, event_id=event.pk, seats=2, now=NOW())
        wanted = [("confirmed", ""), ("waiting", ""), ("repeated", ""), ("refused", "NotEnoughSeats")]
        before = [value(counts.REQUESTS, *labels) for labels in wanted]
        changed = value(counts.CHANGES, "created")
        with django_capture_on_commit_callbacks(execute=True):
            for names in ({}, {"or_wait": True, "key": uuid4()}):
                person = UserFactory()
                book(user_id=person.pk, **names)
            book(user_id=person.pk, **names)
        with pytest.raises(NotEnoughSeats):
            book(user_id=UserFactory().pk)
        assert [value(counts.REQUESTS, *labels) for labels in wanted] == [count + 1 for count in before]
        assert value(counts.CHANGES, "created") == changed + 2

    def test_requests_that_the_counter_alone_refuses(self, monkeypatch):
        def refuse(*args, **kwargs):
            raise CounterRefuses(left=0)

        monkeypatch.setattr(seat_counter, "claim", refuse)
        before = value(counts.REQUESTS, "refused", "NotEnoughSeats")
        with pytest.raises(NotEnoughSeats):
            services.book(event_id=uuid4(), user_id=uuid4(), seats=1, now=NOW())
        assert value(counts.REQUESTS, "refused", "NotEnoughSeats") == before + 1

    def test_a_breaker_that_is_open(self):
        breaker = Breaker("a test")
        assert value(FAILURES, "a test") == value(OPEN, "a test") == 0
        with pytest.raises(Away):
            breaker.ask(self.away)
        assert value(FAILURES, "a test") == value(OPEN, "a test") == 1
        breaker._asks_again_at = 0
        breaker.ask(lambda: "here")
        assert (value(FAILURES, "a test"), value(OPEN, "a test")) == (1, 0)

    def away(self):
        raise RedisError

    def test_drift_that_was_mended(self):
        event = EventFactory(total_slots=5)
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE events DISABLE TRIGGER USER")
            cursor.execute("UPDATE events SET available_slots = 3 WHERE id = %s", [event.pk])
            cursor.execute("ALTER TABLE events ENABLE TRIGGER USER")
        before = value(counts.DRIFT, "available_slots", "yes")
        reconcile(now=NOW(), event_ids=[event.pk], second_look=0)
        assert value(counts.DRIFT, "available_slots", "yes") == before + 2

    def test_requests_by_view_method_and_status(self, client):
        from happening.metrics.requests import counting as requests

        responses = requests.metrics.responses
        before = value(responses, "200", "healthz", "GET"), value(responses, "404", "<unnamed view>", "GET")
        client.get("/healthz")
        client.get("/nowhere")
        after = value(responses, "200", "healthz", "GET"), value(responses, "404", "<unnamed view>", "GET")
        assert after == (before[0] + 1, before[1] + 1)
        client.generic("BREW", "/healthz")
        assert value(responses, "405", "healthz", "<invalid method>") >= 1
