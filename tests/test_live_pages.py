"""What `make run` serves on its one port, and what a browser shows of it while things change.

The web process is a real one. The browser is the machine's Chromium; where there is none, its tests are
skipped.
"""

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone
from uuid_utils.compat import uuid7

from bookings import services
from happening.embedded.child import spawn
from notifications import live
from notifications.live.announcer import Announcer
from tests.factories import EventFactory, UserFactory

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE = 20  # seconds
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


class Web:
    """The process, with the test's database."""

    def __init__(self, instance: str, **environment: str):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.address = f"http://localhost:{self.port}"
        given = urlsplit(os.environ["DATABASE_URL"])
        database = urlunsplit(given._replace(path=f"/{connection.settings_dict['NAME']}"))
        self.process = spawn(
            [sys.executable, "-m", "happening.embedded.web", str(self.port)],
            death_signal=signal.SIGKILL,
            env=os.environ | {"DATABASE_URL": database, "HAPPENING_INSTANCE": instance} | environment,
            stdout=subprocess.PIPE,
        )
        deadline = time.monotonic() + PATIENCE
        while self._is_silent():
            assert time.monotonic() < deadline
            assert self.process.poll() is None, self.process.stdout.read().decode()
            time.sleep(0.05)

    def get(self, path: str, *, cookie: str = "") -> http.client.HTTPResponse:
        """The answer; of a stream, its head."""
        asking = http.client.HTTPConnection("localhost", self.port, timeout=PATIENCE)
        asking.request("GET", path, headers={"Cookie": cookie} if cookie else {})
        answer = asking.getresponse()
        answer.hang_up = lambda: (answer.close(), asking.close())
        return answer

    def _is_silent(self) -> bool:
        try:
            return self.get("/healthz").status != 200
        except OSError:
            return True

    def stop(self) -> str:
        """End it as `make run` does; returns what it said."""
        self.process.terminate()
        said, _ = self.process.communicate(timeout=PATIENCE)
        return said.decode()

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def serve(monkeypatch):
    """Start the web process, with what it finds in its environment."""
    instance, started = f"test{uuid7().hex}", []

    def serving(**environment: str) -> Web:
        started.append(Web(instance, **environment))
        return started[-1]

    channel = f"{instance}:happening:live"
    monkeypatch.setattr(live, "ANNOUNCER", Announcer(settings.LIVE_REDIS_URL, channel))
    yield serving
    for web in started:
        web.kill()


@pytest.fixture
def event():
    return EventFactory(total_slots=10)


def book(event, **request):
    return services.book(
        event_id=event.pk,
        user_id=request.pop("person", None) or UserFactory().pk,
        key=uuid4(),
        now=timezone.now(),
        **request,
    )


class TestTheOnePort:
    def test_serves_pages_files_and_streams(self, serve, event):
        web = serve()
        page = web.get(f"/events/{event.pk}/")
        assert (page.status, event.title in page.read().decode()) == (200, True)
        assert web.get("/static/js/live.js").status == 200
        assert web.get("/nowhere/").status == 404
        stream = web.get(f"/live/events/{event.pk}/")
        assert stream.status == 200
        assert stream.readline().startswith(b"retry: ")
        assert [stream.readline(), stream.readline()] == [b"\n", b"event: events\n"]
        assert b'"left": 10' in stream.readline()
        stream.readline()
        book(event, seats=3)
        assert stream.readline() == b"event: events\n"
        assert b'"left": 7' in stream.readline()
        stream.hang_up()

    def test_serves_pages_while_many_watch(self, serve, event):
        web = serve()
        streams = [web.get(f"/live/events/{event.pk}/") for _ in range(50)]
        assert {stream.status for stream in streams} == {200}
        assert web.get("/events/").status == 200
        for stream in streams:
            stream.hang_up()

    def test_forgets_a_visitor_who_was_cut_off(self, serve, event):
        web = serve(LIVE_MOST_STREAMS="1")
        path = f"/live/events/{event.pk}/"
        stream = web.get(path)
        full = web.get(path)
        assert (stream.status, full.status, full.headers["Retry-After"]) == (200, 503, "30")
        stream.hang_up()
        deadline = time.monotonic() + PATIENCE
        while web.get(path).status != 200:
            assert time.monotonic() < deadline

    def test_ends_at_once_although_somebody_watches(self, serve, event):
        web = serve()
        stream = web.get(f"/live/events/{event.pk}/")
        began = time.monotonic()
        said = web.stop()
        assert time.monotonic() - began < 3
        assert stream.read().endswith(b"\n\n")
        assert f"GET /live/events/{event.pk}/ 200" in said
        assert "Cancel" not in said

    def test_logs_no_query(self, serve):
        web = serve()
        web.get("/events/?q=secret")
        assert "secret" not in web.stop()


@pytest.mark.skipif(CHROMIUM is None, reason="There is no Chromium on this machine.")
class TestAPage:
    @pytest.fixture
    def browser(self, monkeypatch):
        from playwright.sync_api import sync_playwright

        # Playwright keeps a loop in this thread, and Django a connection of its own for who has one.
        monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "yes")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            yield browser
            connection.close()
            browser.close()

    @pytest.fixture
    def look(self, serve, browser):
        """Open a page in a window of its own, as `person` if anybody. What the browser refuses, or complains
        of, is a failure: there the policy for scripts and styles would show."""
        web, complaints = serve(DJANGO_ALLOW_ASYNC_UNSAFE=""), []

        def looking(path: str, *, person=None, **window):
            context = browser.new_context(**window)
            if person:
                client = Client()
                client.force_login(person)
                cookie = client.cookies[settings.SESSION_COOKIE_NAME]
                context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": web.address}])
            page = context.new_page()
            page.on("console", lambda message: complaints.append(message.text))
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.goto(web.address + path)
            return page

        yield looking
        assert not complaints

    def test_shows_seats_being_taken_and_given_back(self, look):
        hall, person = EventFactory(with_layout=True), UserFactory()
        page = look(f"/events/{hall.pk}/", person=person)
        seat = page.get_by_role("checkbox", name="Row A, seat 2")
        page.locator("[data-live-seats]", has_text="10 of 10 seats left").wait_for()
        seat.check(force=True)
        booking = book(hall, seat_nos=[2, 3])
        page.locator("[data-live-lost]", has_text="Row A, seat 2").wait_for()
        taken = page.get_by_role("checkbox", name="Row A, seat 2, taken")
        assert taken.is_disabled()
        assert not taken.is_checked()
        assert "8 of 10 seats left" in page.inner_text("[data-live-seats]")
        assert "8 seats left" in page.inner_text("[data-live-badge]")
        services.cancel(booking_id=booking.pk, actor_id=booking.user_id, now=timezone.now())
        page.get_by_role("checkbox", name="Row A, seat 2", exact=True).wait_for()
        assert page.get_by_role("checkbox", name="Row A, seat 2", exact=True).is_enabled()

    def test_leaves_the_seats_of_ones_own_booking_alone(self, look):
        hall, person = EventFactory(with_layout=True), UserFactory()
        booking = book(hall, seat_nos=[2, 3], person=person.pk)
        page = look(f"/bookings/{booking.pk}/modify/", person=person)
        book(hall, seat_nos=[4])
        page.get_by_role("checkbox", name="Row A, seat 4, taken").wait_for()
        assert page.get_by_role("checkbox", name="Row A, seat 2", exact=True).is_checked()

    def test_says_when_something_else_can_be_booked_now(self, look, event):
        page = look(f"/events/{event.pk}/")
        book(event, seats=10)
        page.locator("[data-live-changed] a").click()
        page.get_by_role("heading", name="Join the waitlist").wait_for()

    def test_counts_new_messages_and_offers_them_in_the_inbox(self, look, event):
        person = UserFactory()
        elsewhere, inbox = look("/events/", person=person), look("/notifications/", person=person)
        assert not elsewhere.locator("[data-live-inbox] .count").is_visible()
        book(event, seats=1, person=person.pk)
        elsewhere.locator("[data-live-inbox] .count", has_text="1").wait_for()
        inbox.locator("[data-live-news] a").click()
        inbox.get_by_role("link", name=f"You are going to {event.title}").wait_for()

    def test_is_whole_without_javascript(self, look):
        hall, person = EventFactory(with_layout=True), UserFactory()
        page = look(f"/events/{hall.pk}/", person=person, java_script_enabled=False)
        assert "10 of 10 seats left" in page.inner_text("[data-live-seats]")
        book(hall, seat_nos=[2])
        page.reload()
        assert "9 of 10 seats left" in page.inner_text("[data-live-seats]")
        assert page.get_by_role("checkbox", name="Row A, seat 2, taken").is_disabled()
