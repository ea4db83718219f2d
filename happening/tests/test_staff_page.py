"""The page of the platform's staff: what it shows, to whom, and within what bounds."""

import re
import socket
import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from happening import job_runs
from happening.celery import TIMETABLE
from happening.staff import database
from happening.staff.services import services
from orgs.durations import briefly
from orgs.models import JobRun
from tests.factories import MembershipFactory, UserFactory

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
NOBODY = 1  # a port where nobody listens


@pytest.fixture
def look(client):
    client.force_login(UserFactory(platform_staff=True), backend=BACKEND)

    def looking(name="upkeep") -> str:
        page = client.get(reverse(f"admin:{name}")).content.decode()
        return " ".join(re.sub(r"<[^>]+>", " ", page).split())

    return looking


def done(job: str, *, at) -> None:
    job_runs.begin(job, now=at)
    job_runs.end(job, JobRun.Outcome.DONE, now=at)


@pytest.mark.django_db
class TestThePage:
    def test_has_every_job_and_says_which_are_late(self, look):
        now = timezone.now()
        for job in TIMETABLE:
            done(job, at=now - timedelta(seconds=1))
        done("advance_events", at=now - timedelta(hours=1))
        job_runs.end("expire_invites", JobRun.Outcome.FAILED, now=now)
        page = look()
        assert all(job in page for job in TIMETABLE)
        assert "advance_events late 1 min 60 min ago done 60 min ago" in page
        assert re.search(r"expire_invites 1 h \d s ago failed", page)
        assert page.count(" late ") == 2  # the other explains the word

    def test_leads_to_the_proof_and_to_the_deliveries(self, look, client):
        look()
        page = client.get(reverse("admin:upkeep")).content.decode()
        assert reverse("admin:seats_proof") in page
        assert reverse("admin:notifications_figures") in page

    def test_says_which_tables_are_large_and_which_indexes_nobody_uses(self, look, monkeypatch):
        monkeypatch.setattr(database, "SHOWN", 100)
        page = look()
        assert "Largest tables" in page
        assert "booking_seats" in page
        assert "idx_" in page

    def test_says_what_to_do_where_statements_are_not_counted(self, look, monkeypatch):
        monkeypatch.setattr(database, "LIBRARY", "pg_stat_statements_of_nobody")
        assert "CREATE EXTENSION pg_stat_statements" in look()

    def test_says_so_where_the_database_takes_too_long(self, look, monkeypatch):
        def slow():
            return database._rows("SELECT pg_sleep(%s)", 20)

        monkeypatch.setattr(database, "SECONDS", 1)
        monkeypatch.setattr(database, "unused_indexes", slow)
        page = look()
        assert "This could not be read within 1 seconds." in page
        assert "Largest tables" in page

    def test_asks_few_questions(self, look, django_assert_max_num_queries):
        look()
        with django_assert_max_num_queries(40):
            look()

    def test_is_found_from_the_first_page(self, look):
        done("advance_events", at=timezone.now() - timedelta(hours=1))
        assert re.search(r"\d+ jobs? of the timetable (is|are) late\. Upkeep", look("index"))

    def test_is_for_platform_staff_alone(self, client):
        client.force_login(MembershipFactory(admin=True).user, backend=BACKEND)
        assert client.get(reverse("admin:upkeep")).status_code == 403
        assert reverse("admin:upkeep") not in client.get(reverse("admin:index")).content.decode()


@pytest.mark.django_db
class TestSlowestStatements:
    @pytest.fixture
    def counted(self):
        """The library, where this server can have it."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('pg_stat_statements.track', true)")
            if cursor.fetchone() == (None,):
                pytest.skip("this server does not load pg_stat_statements")
            cursor.execute("CREATE SCHEMA IF NOT EXISTS watching")
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements SCHEMA watching")

    def test_are_read_where_they_are_counted(self, counted, monkeypatch):
        monkeypatch.setattr(database, "SHOWN", 100_000)  # other tests ask for more
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) AS a_name_of_this_test FROM generate_series(1, 100000)")
        found = database.slowest()
        assert any("a_name_of_this_test" in statement.text for statement in found)
        assert sum(statement.share for statement in found) <= 100.01


class TestServices:
    def test_answer_or_do_not_or_are_not_used(self, settings):
        with socket.create_server(("127.0.0.1", 0)) as open_door:
            settings.AMQP_URL = f"amqp://127.0.0.1:{open_door.getsockname()[1]}//"
            settings.EMAIL_FILE_PATH = None
            settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", NOBODY
            settings.OIDC_ISSUER = ""
            answers = {str(service.name): service.answers for service in services()}
        assert answers == {"Redis": True, "RabbitMQ": True, "Mail server": False, "Single sign-on": None}

    def test_are_not_waited_for_where_nobody_knows_an_address(self, settings, monkeypatch):
        settings.AMQP_URL = settings.OIDC_ISSUER = ""
        settings.EMAIL_FILE_PATH, settings.EMAIL_HOST = None, "nowhere.example"
        goes_on, ask, found = threading.Event(), socket.getaddrinfo, []

        def slow(host, *more, **options):
            if host == "nowhere.example":
                goes_on.wait(30)
                found.append(host)
            return ask("127.0.0.1", *more, **options)

        monkeypatch.setattr(socket, "getaddrinfo", slow)
        answers = {str(service.name): service.answers for service in services()}
        assert found == []
        assert answers["Mail server"] is False
        goes_on.set()


class TestBriefly:
    @pytest.mark.parametrize(
        ("seconds", "words"),
        [
            *[(0, "0 s"), (1, "1 s"), (60, "1 min"), (90, "90 s"), (3_600, "1 h"), (5_400, "90 min")],
            *[(86_400, "1 day"), (90_000, "25 h"), (200_000, "2 days"), (6_050_062, "70 days")],
        ],
    )
    def test_says_how_long(self, seconds, words):
        assert briefly(seconds) == words
        assert briefly(timedelta(seconds=seconds)) == words
