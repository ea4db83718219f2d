"""The log: whose work a line is about, and nothing about who they are. And the request's id."""

import io
import json
import logging
import re
import subprocess
import sys
from uuid import UUID, uuid4

import pytest
from django.conf import settings as configured
from django.db import IntegrityError
from django.http import UnreadablePostError
from django.test import Client
from django.utils import timezone

from happening import watching
from happening.celery import app
from happening.log_scrubbing import JsonFormatter, ScrubbingFormatter, WithoutStrangersTracebacks
from happening.watching import WatchingMiddleware
from orgs.log_facts import known, said_with
from tests.factories import EventFactory, OrganizationFactory, UserFactory

ADDRESS, NAME, PASSWORD = "nora.secret@example.test", "Nora Verysecret", "a-password-of-nora-17"


class Written:
    """The lines that production would have written."""

    def __init__(self):
        self.raw = io.StringIO()

    @property
    def text(self) -> str:
        return self.raw.getvalue()

    def lines(self) -> list[dict]:
        return [json.loads(line) for line in self.raw.getvalue().splitlines()]

    def of(self, logger: str) -> list[dict]:
        return [line for line in self.lines() if line["logger"] == logger]


@pytest.fixture
def written(settings, monkeypatch):
    settings.LOG_REQUESTS = True
    monkeypatch.setattr(watching, "SLOW", 60)  # what a busy machine takes for a page is no news here
    log = Written()
    handler = logging.StreamHandler(log.raw)
    handler.setFormatter(JsonFormatter())
    handler.addFilter(WithoutStrangersTracebacks())
    root = logging.getLogger()
    root.addHandler(handler)
    level = root.level
    root.setLevel("INFO")
    yield log
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.fixture
def site(client):
    client.raise_request_exception = False
    return client


class TestRequestId:
    @pytest.fixture(autouse=True)
    def behind_a_proxy(self, settings):
        settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1

    def ask(self, client, brought=None):
        headers = {"X-Request-ID": brought} if brought is not None else {}
        return client.get("/healthz", headers=headers)["X-Request-ID"]

    def test_is_the_proxys(self, client):
        assert self.ask(client, "0123456789abcdef0123456789abcdef") == "0123456789abcdef0123456789abcdef"

    @pytest.mark.parametrize(
        "brought", [None, "", "short", "a" * 65, 'a"b-12345678', "a b c d e f g h", "äöü-12345678"]
    )
    def test_is_made_where_the_proxys_is_none(self, client, brought):
        assert re.fullmatch("[0-9a-f]{32}", self.ask(client, brought))

    def test_is_made_where_there_is_no_proxy(self, client, settings):
        settings.ALLAUTH_TRUSTED_PROXY_COUNT = 0
        assert self.ask(client, "0123456789abcdef") != "0123456789abcdef"

    def test_stands_on_every_answer(self, site, monkeypatch):
        assert site.get("/", headers={"host": "evil.example"})["X-Request-ID"]
        assert site.get("/nowhere")["X-Request-ID"]
        assert site.generic("POST", "/accounts/login/", b"x", CONTENT_LENGTH="x")["X-Request-ID"]

    def test_stands_on_a_failure_and_in_its_log(self, site, written, monkeypatch, db):
        monkeypatch.setattr("events.views.by_day", lambda page: 1 / 0)
        answer = site.get("/events/")
        assert answer.status_code == 500
        [failure] = written.of("django.request")
        assert failure["request"] == answer["X-Request-ID"]
        assert failure["error"] == "ZeroDivisionError"
        assert "by_day" in failure["traceback"]


@pytest.mark.django_db
class TestLines:
    def test_say_whose_request_it_was_by_id(self, site, written):
        person, event = UserFactory(name=NAME, email=ADDRESS), EventFactory(total_slots=3)
        site.force_login(person)
        answer = site.post(f"/events/{event.pk}/book/", {"seats": "1", "idempotency_key": uuid4()})
        assert answer.status_code == 303
        line = written.of("happening.requests")[-1]
        assert line["actor"] == str(person.pk)
        assert line["request"] == answer["X-Request-ID"]
        assert (line["method"], line["view"], line["status"]) == ("POST", "book", 303)
        assert line["ms"] > 0
        assert NAME not in written.text
        assert ADDRESS not in written.text

    def test_say_of_which_organization(self, site, written, settings):
        organization = OrganizationFactory()
        settings.SITE_URL = "http://localhost"
        answer = site.get("/events/", headers={"host": f"{organization.slug}.localhost"})
        assert answer.status_code == 200
        assert written.of("happening.requests")[-1]["organization"] == str(organization.pk)

    def test_leave_out_what_programs_ask_all_the_time(self, site, written):
        site.get("/healthz")
        site.get("/static/nothing.css")
        assert not written.of("happening.requests")

    def test_tell_what_was_slow_where_not_every_request_is_told(self, site, written, settings, monkeypatch):
        settings.LOG_REQUESTS = False
        monkeypatch.setattr(watching, "SLOW", 0)
        site.get("/events/")
        [line] = written.of("happening.requests")
        assert (line["level"], line["status"]) == ("WARNING", 200)

    def test_are_fewer_where_the_settings_say_so_but_tell_what_broke(
        self, site, written, settings, monkeypatch
    ):
        settings.LOG_REQUESTS = False
        site.get("/events/")
        assert not written.of("happening.requests")
        monkeypatch.setattr("events.views.by_day", lambda page: 1 / 0)
        site.get("/events/")
        assert written.of("happening.requests")[-1]["status"] == 500


@pytest.mark.django_db
class TestNothingAboutPeople:
    def test_in_what_signing_up_booking_and_failing_write(self, site, written, monkeypatch, mailoutbox):
        site.post("/accounts/signup/", {"email": ADDRESS, "name": NAME, "password1": PASSWORD})
        site.post("/accounts/login/", {"login": ADDRESS, "password": PASSWORD + "-wrong"})
        site.post("/accounts/password/reset/", {"email": ADDRESS})
        site.get(f"/events/?q={NAME}")
        site.get("/invites/a-token-that-opens/")
        site.get("/accounts/confirm-email/a-token-that-opens/")
        person, event = UserFactory(name=NAME, email="second." + ADDRESS), EventFactory(total_slots=1)
        site.force_login(person)
        for _ in range(2):
            site.post(f"/events/{event.pk}/book/", {"seats": "1", "idempotency_key": uuid4()})

        def broken(*args, **kwargs):
            raise IntegrityError(
                'duplicate key value violates "users_email"\n'
                f"DETAIL:  Key (lower(email), name)=({ADDRESS}, {NAME}) already exists."
            )

        monkeypatch.setattr("bookings.views.book.services.book", broken)
        answer = site.post(f"/events/{event.pk}/book/", {"seats": "1", "idempotency_key": uuid4()})
        assert answer.status_code == 500
        assert written.of("django.request")[-1]["error"] == "IntegrityError"
        assert len(written.of("happening.requests")) >= 8
        for secret in (ADDRESS, "nora.secret", NAME, "Verysecret", PASSWORD, "a-token-that-opens"):
            assert secret not in written.text, secret

    def test_in_what_a_mail_server_says(self, written):
        logging.getLogger("notifications.delivery").warning(
            "Notification %s has failed. %s", uuid4(), f"550 <{ADDRESS}>: no such mailbox"
        )
        [line] = written.lines()
        assert "550 <…@…>: no such mailbox" in line["message"]

    def test_a_line_is_one_line_whatever_is_in_it(self, written):
        logging.getLogger("x").warning("two\nlines and \u2028 another \x1b[31m")
        assert len(written.raw.getvalue().strip("\n").split("\n")) == 1
        assert "\x1b" not in written.raw.getvalue()


class TestStrangers:
    """What is sent wrong is answered, told in a line at most, and no traceback."""

    FORM = "application/x-www-form-urlencoded"
    BODIES = {
        "no boundary": (b"xx", "multipart/form-data"),
        "too many fields": ("&".join(f"a{n}=1" for n in range(2_000)).encode(), FORM),
        "too much": (b"a=" + b"x" * 3_000_000, FORM),
        "too many files": (
            b"".join(
                b'--b\r\nContent-Disposition: form-data; name="f%d"; filename="x"\r\n\r\nx\r\n' % n
                for n in range(200)
            )
            + b"--b--\r\n",
            "multipart/form-data; boundary=b",
        ),
    }

    @pytest.mark.parametrize("case", BODIES)
    def test_a_broken_body(self, site, written, db, case):
        body, kind = self.BODIES[case]
        answer = site.generic("POST", "/accounts/login/", body, content_type=kind)
        assert answer.status_code == 400
        self.assert_calm(written)

    def test_a_length_that_is_no_number(self, site, written):
        answer = site.generic(
            "POST", "/accounts/login/", b"a=1", content_type=self.FORM, CONTENT_LENGTH="abc"
        )
        assert answer.status_code == 400
        self.assert_calm(written)

    @pytest.mark.parametrize(
        "host", ["evil.example", "localhost:abc", "[::1", "", "localhost/x", "a" * 300, "no host"]
    )
    def test_a_bad_host(self, site, written, db, host):
        for ask in (site.get, site.post):
            assert ask("/accounts/login/", headers={"host": host}).status_code == 421
        self.assert_calm(written)

    @pytest.mark.parametrize(
        "headers", [{"origin": "http://["}, {"referer": "https://["}, {"origin": "null"}]
    )
    def test_a_foreign_form(self, written, db, headers):
        strict = Client(enforce_csrf_checks=True, raise_request_exception=False)
        assert strict.post("/accounts/login/", {}, headers=headers, secure=True).status_code == 403
        self.assert_calm(written)

    def test_a_body_that_breaks_off(self, written):
        def view(request):
            raise UnreadablePostError("the connection was reset")

        record = logging.makeLogRecord(
            {"name": "django.request", "levelno": logging.ERROR, "levelname": "ERROR", "msg": "Error: /x"}
        )
        try:
            view(None)
        except UnreadablePostError as error:
            record.exc_info = (type(error), error, error.__traceback__)
        logging.getLogger().handle(record)
        self.assert_calm(written)

    def assert_calm(self, written):
        assert "Traceback" not in written.text
        assert all("traceback" not in line and line["level"] != "ERROR" for line in written.lines())


class TestFacts:
    def test_are_those_of_the_work_at_hand(self):
        with said_with(request="one"):
            with said_with(notification=UUID(int=1), actor=lambda: None):
                assert known() == {"request": "one", "notification": str(UUID(int=1))}
            assert known() == {"request": "one"}
        assert known() == {}

    def test_are_a_tasks(self, written):
        said = logging.getLogger("a.task")

        @app.task(name="tests.say")
        def say():
            said.warning("working")

        try:
            task_id = say.apply().id
        finally:
            app.tasks.pop("tests.say")
        [line] = written.of("a.task")
        assert (line["task"], line["task_id"]) == ("tests.say", task_id)

    def test_are_the_senders_message_in_its_threads_too(self, written, transactional_db, monkeypatch):
        from notifications import mail
        from notifications.delivery import deliver
        from notifications.models import Notification
        from notifications.post_room import PostRoom

        def wordless(one):
            raise KeyError("title")

        monkeypatch.setattr(mail, "compose", wordless)
        person, now = UserFactory(name=NAME, email=ADDRESS), timezone.now()
        row = Notification.objects.create(user_id=person.pk, type="event_updated", payload={}, due_at=now)
        room = PostRoom(1)
        deliver([row.pk], room=room, clock=timezone.now)
        room.close()
        [line] = written.of("notifications.post_room")
        assert line["notification"] == str(row.pk)
        assert ADDRESS not in written.text

    def test_stand_behind_warnings_at_a_terminal(self):
        record = logging.makeLogRecord({"name": "x", "levelno": 30, "levelname": "WARNING", "msg": "odd"})
        with said_with(request="abc", actor=None):
            assert ScrubbingFormatter("%(message)s").format(record) == "odd (request abc)"


class TestSettings:
    @pytest.mark.parametrize(
        ("kind", "formatter", "requests"), [("development", "line", "no"), ("production", "json", "yes")]
    )
    def test_write_json_in_production_and_lines_at_a_terminal(self, kind, formatter, requests):
        code = (
            "from happening.log_settings import LOGGING, LOG_REQUESTS as requests\n"
            "print(LOGGING['handlers']['console']['formatter'], 'yes' if requests else 'no')"
        )
        told = subprocess.run(
            [sys.executable, "-c", code],
            cwd=configured.BASE_DIR,
            env={"HAPPENING_ENV": kind},
            check=True,
            capture_output=True,
            text=True,
        )
        assert told.stdout.split() == [formatter, requests]

    def test_make_the_server_of_the_procfile_write_alike(self):
        """Live needs nothing: its server takes the settings as they are."""
        lines = (configured.BASE_DIR / "Procfile").read_text().splitlines()
        [line] = [line for line in lines if line.startswith("web: ")]
        assert line.endswith("--log-config deploy/logging.json")
        servers = json.loads((configured.BASE_DIR / "deploy/logging.json").read_text())
        assert servers["formatters"]["json"]["()"] == configured.LOGGING["formatters"]["json"]["()"]
        assert not servers["disable_existing_loggers"]
        assert "root" not in servers  # which is Django's

    def test_have_the_middleware_outermost(self):
        assert configured.MIDDLEWARE[0] == "happening.watching.WatchingMiddleware"
        assert WatchingMiddleware(lambda request: None)
