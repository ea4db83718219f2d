"""Live updates from the service to the stream: the live process's application in this process, with a real
Redis and PostgreSQL, and everything that a server would do with it done by hand (`Visit`)."""

import asyncio
import json
import signal
import threading
import time
from datetime import timedelta
from functools import partial
from uuid import uuid4

import pytest
import redis
import uvicorn
from django.conf import settings
from django.core.signals import request_started
from django.db import connection
from django.test import Client
from django.utils import timezone
from uuid_utils.compat import uuid7
from uvicorn.lifespan.off import LifespanOff

from bookings import services
from events.models import Event
from happening import live_process
from notifications import live
from notifications.live import hub, listener, server
from notifications.live.announcer import Announcer
from notifications.live.server import LiveServer
from notifications.models import Notification
from orgs import members, standing_news
from orgs.models import Organization, User
from orgs.sessions import SessionStore
from tests.factories import EventFactory, MembershipFactory, OrganizationFactory, UserFactory
from tests.own_redis import OwnRedis

pytestmark = pytest.mark.django_db(transaction=True)


class Visit:
    """Somebody who asks the application for an address, and stays."""

    def __init__(self, application, path: str, *, cookie: str = "", host: str = "localhost"):
        path, _, query = path.partition("?")
        headers = [(b"host", host.encode()), (b"cookie", cookie.encode())]
        self._scope = {
            "type": "http",
            "method": "GET",
            "path": path,
            "query_string": query.encode(),
            "headers": headers,
            "server": ("localhost", 80),
            "client": ("127.0.0.1", 1),
        }
        self._application = application
        self._incoming, self._outgoing = asyncio.Queue(), asyncio.Queue()
        self._text = ""
        self.states: dict[str, list[dict]] = {}
        self.comments = 0
        self.is_over = False

    async def begin(self) -> int:
        """The status of the answer."""
        await self._incoming.put({"type": "http.request", "body": b"", "more_body": False})
        self.task = asyncio.create_task(
            self._application(self._scope, self._incoming.get, self._outgoing.put)
        )
        start = await self._outgoing.get()
        self.headers = {name.decode(): value.decode() for name, value in start["headers"]}
        return start["status"]

    async def next(self, name: str = "events") -> dict:
        """The next state of that name."""
        while not self.states.get(name):
            await self._read()
        return self.states[name].pop(0)

    async def until(self, holds, *, name: str = "events") -> dict:
        while not holds(state := await self.next(name)):
            continue
        return state

    async def until_over(self) -> None:
        while not self.is_over:
            await self._read()

    async def until_comment(self) -> None:
        while not self.comments:
            await self._read()

    async def hang_up(self) -> None:
        await self._incoming.put({"type": "http.disconnect"})
        await self.task

    async def _read(self) -> None:
        assert not self.is_over, "The stream has ended."
        message = await self._outgoing.get()
        self._text += message["body"].decode()
        self.is_over = not message["more_body"]
        *whole, self._text = self._text.split("\n\n")
        for block in whole:
            fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
            if "data" in fields:
                self.states.setdefault(fields["event"], []).append(json.loads(fields["data"]))
            elif "retry" in fields:
                self.comes_back_after = int(fields["retry"])
            else:
                self.comments += 1


def living(scenario) -> None:
    """Run `scenario(application)`, in a loop of its own."""

    async def run():
        application = LiveServer()
        try:
            async with asyncio.timeout(30):
                await scenario(application)
        finally:
            if application._listener:
                application._end()
            application._asking.shutdown()
            application._reading.shutdown()

    asyncio.run(run())


def signed_in(person) -> str:
    """The cookie of somebody who is signed in."""
    client = Client()
    client.force_login(person)
    return client.cookies[settings.SESSION_COOKIE_NAME].OutputString()


async def aside(call, *args, **kwargs):
    """Call what asks the database, in a thread and on a connection of its own."""

    def calling():
        try:
            return call(*args, **kwargs)
        finally:
            connection.close()

    return await asyncio.to_thread(calling)


async def book(event, seats=None, *, person=None, **request):
    person = person or await aside(UserFactory)
    return await aside(
        services.book,
        event_id=event.pk,
        user_id=person.pk,
        seats=seats,
        key=uuid4(),
        now=timezone.now(),
        **request,
    )


@pytest.fixture(autouse=True)
def _channel_of_its_own(settings, monkeypatch):
    settings.LIVE_CHANNEL = f"test:{uuid7()}"
    monkeypatch.setattr(live, "ANNOUNCER", Announcer(settings.LIVE_REDIS_URL, settings.LIVE_CHANNEL))
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 0)  # nothing may stay open behind a test


@pytest.fixture
def person() -> User:
    return UserFactory()


@pytest.fixture
def event() -> Event:
    return EventFactory(total_slots=10)


@pytest.fixture
def hall() -> Event:
    return EventFactory(with_layout=True)


def of(event) -> str:
    return f"/live/events/{event.pk}/"


INBOX = "/live/notifications/"
NEVER = 600.0


@pytest.fixture
def nothing_is_found_by_looking(monkeypatch):
    """What is seen was announced."""
    monkeypatch.setattr(hub, "LOOK_EVERY", NEVER)
    monkeypatch.setattr(hub, "LOOK_EVERY_WHILE_DEAF", NEVER)


@pytest.fixture
def nothing_is_asked_again(monkeypatch):
    """Who is cut off was named in an announcement."""
    monkeypatch.setattr(server, "ASK_AGAIN", NEVER)


class TestAStreamOfAnEvent:
    def test_begins_with_the_whole_state(self, event):
        async def scenario(application):
            visit = Visit(application, of(event))
            assert await visit.begin() == 200
            state = await visit.next()
            assert (state["left"], state["total"], state["waiting"]) == (10, 10, 0)
            assert (state["version"], state["state"]) == (event.version, "open")
            assert "10 of 10 seats left" in state["words"]["seats"]
            assert "taken" not in state

        living(scenario)

    def test_is_buffered_and_stored_by_nobody(self, event):
        async def scenario(application):
            visit = Visit(application, of(event))
            await visit.begin()
            assert visit.headers["content-type"] == "text/event-stream"
            assert visit.headers["cache-control"] == "no-store"
            assert visit.headers["x-accel-buffering"] == "no"
            assert visit.headers["content-encoding"] == "identity"
            await visit.next()
            assert 2_000 <= visit.comes_back_after <= 8_000

        living(scenario)

    @pytest.mark.usefixtures("nothing_is_found_by_looking")
    def test_shows_a_booking_once_it_is_committed(self, event):
        async def scenario(application):
            visit = Visit(application, of(event))
            await visit.begin()
            first = await visit.next()
            await _listens(application)
            await book(event, 3)
            state = await visit.until(lambda state: state["left"] == 7)
            assert state["version"] > first["version"]

        living(scenario)

    @pytest.mark.usefixtures("nothing_is_found_by_looking")
    def test_shows_the_last_of_many_changes(self, event):
        async def scenario(application):
            visit = Visit(application, of(event))
            await visit.begin()
            await _listens(application)
            for _ in range(12):
                await book(event, 1, or_wait=True)
            state = await visit.until(lambda state: state["waiting"] == 2)
            assert (state["left"], state["state"]) == (0, "waitlist")

        living(scenario)

    @pytest.mark.usefixtures("nothing_is_found_by_looking")
    def test_shows_the_taken_seats_of_the_part_that_is_looked_at(self, hall, person):
        cookie = signed_in(person)

        async def scenario(application):
            left, right = (
                Visit(application, f"{of(hall)}?seats={part}", cookie=cookie) for part in ("1-6", "7-10")
            )
            assert [await left.begin(), await right.begin()] == [200, 200]
            assert [(await left.next())["taken"], (await right.next())["taken"]] == [[], []]
            await _listens(application)
            await book(hall, seat_nos=[2, 3, 6, 7])
            assert (await left.until(lambda state: state["left"] == 6))["taken"] == [[2, 3], [6, 6]]
            assert (await right.until(lambda state: state["left"] == 6))["taken"] == [[7, 7]]

        living(scenario)

    def test_calls_taken_what_is_not_on_sale(self, hall, person):
        Event.objects.filter(pk=hall.pk).update(total_slots=8)
        cookie = signed_in(person)

        async def scenario(application):
            visit = Visit(application, f"{of(hall)}?seats=7-10", cookie=cookie)
            await visit.begin()
            assert (await visit.next())["taken"] == [[9, 10]]

        living(scenario)

    @pytest.mark.parametrize("part", ["0-5", "5-1", "1-1000000", "x-1", "1-", "-", "1-99999999", "٣-٥"])
    def test_ignores_a_part_that_is_none(self, hall, person, part):
        cookie = signed_in(person)

        async def scenario(application):
            visit = Visit(application, f"{of(hall)}?seats={part}", cookie=cookie)
            assert await visit.begin() == 200
            assert "taken" not in await visit.next()

        living(scenario)

    def test_gives_the_counts_alone_to_who_is_not_signed_in(self, hall):
        async def scenario(application):
            visit = Visit(application, f"{of(hall)}?seats=1-6")
            await visit.begin()
            assert "taken" not in await visit.next()

        living(scenario)

    @pytest.mark.usefixtures("nothing_is_found_by_looking")
    def test_carries_what_is_new_in_ones_inbox(self, event, person):
        cookie = signed_in(person)

        async def scenario(application):
            visit = Visit(application, of(event), cookie=cookie)
            await visit.begin()
            assert await visit.next("people") == {"unread": 0, "newest": None}
            await _listens(application)
            await book(event, 1, person=person)
            assert (await visit.next("people"))["unread"] == 1

        living(scenario)


class TestWhoMayWatch:
    @pytest.mark.parametrize("facts", [{"draft": True}, {"visibility": Event.Visibility.MEMBERS}])
    def test_an_event_that_one_may_not_see_is_as_if_it_were_not_there(self, person, facts):
        hidden, cookie = EventFactory(**facts), signed_in(person)

        async def scenario(application):
            assert await Visit(application, of(hidden)).begin() == 404
            assert await Visit(application, of(hidden), cookie=cookie).begin() == 404

        living(scenario)

    def test_members_watch_what_is_for_members(self):
        hidden = EventFactory(visibility=Event.Visibility.MEMBERS)
        cookie = signed_in(MembershipFactory(organization=hidden.org).user)

        async def scenario(application):
            assert await Visit(application, of(hidden), cookie=cookie).begin() == 200

        living(scenario)

    def test_nobody_watches_an_inbox_without_signing_in(self):
        async def scenario(application):
            assert await Visit(application, INBOX).begin() == 403

        living(scenario)

    def test_nobody_watches_another_persons_inbox(self, person):
        other = UserFactory()
        cookies = signed_in(person), signed_in(other)

        async def scenario(application):
            own, others = (Visit(application, INBOX, cookie=cookie) for cookie in cookies)
            for visit in (own, others):
                await visit.begin()
                assert (await visit.next("people"))["unread"] == 0
            await aside(_tell, other)
            assert (await others.next("people"))["unread"] == 1
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.6):
                    await own.next("people")

        living(scenario)

    def test_who_may_no_longer_see_it_is_cut_off(self, monkeypatch):
        monkeypatch.setattr(server, "ASK_AGAIN", 0.2)
        hidden = EventFactory(visibility=Event.Visibility.MEMBERS)
        membership = MembershipFactory(organization=hidden.org)
        cookie = signed_in(membership.user)

        async def scenario(application):
            visit = Visit(application, of(hidden), cookie=cookie)
            await visit.begin()
            await visit.next()
            await aside(membership.delete)
            await visit.until_over()

        living(scenario)

    @pytest.mark.parametrize("status", ["suspended", "erased"])
    def test_who_was_shut_out_is_cut_off(self, person, status, monkeypatch):
        monkeypatch.setattr(server, "ASK_AGAIN", 0.2)
        cookie = signed_in(person)

        async def scenario(application):
            visit = Visit(application, INBOX, cookie=cookie)
            await visit.begin()
            await aside(User.objects.filter(pk=person.pk).update, status=status)
            await visit.until_over()

        living(scenario)

    @pytest.mark.parametrize("way", ["suspended member", "removed member", "signed out", "out everywhere"])
    @pytest.mark.usefixtures("nothing_is_asked_again")
    def test_who_loses_a_right_is_cut_off_at_once(self, way):
        hidden = EventFactory(visibility=Event.Visibility.MEMBERS)
        membership = MembershipFactory(organization=hidden.org)
        cookie = signed_in(membership.user)
        asked = {"membership_id": membership.pk, "actor_id": None, "now": timezone.now()}
        losing = {
            "suspended member": partial(members.suspend, **asked),
            "removed member": partial(members.remove, **asked),
            "signed out": SessionStore(cookie.partition("=")[2].partition(";")[0]).delete,
            "out everywhere": User.objects.filter(pk=membership.user_id).end_sessions,
        }[way]

        async def scenario(application):
            visit = Visit(application, of(hidden), cookie=cookie)
            await visit.begin()
            await visit.next()
            while application.hub.is_deaf:
                await asyncio.sleep(0.01)
            await aside(losing)
            async with asyncio.timeout(10):
                await visit.until_over()

        living(scenario)

    def test_an_organization_that_is_suspended_takes_its_events_along(self, event, monkeypatch):
        monkeypatch.setattr(server, "ASK_AGAIN", 0.2)

        async def scenario(application):
            visit = Visit(application, of(event))
            await visit.begin()
            await aside(Organization.objects.filter(pk=event.org_id).update, status="suspended")
            await visit.until_over()

        living(scenario)

    @pytest.mark.usefixtures("nothing_is_asked_again")
    def test_an_organization_that_staff_suspend_takes_them_along_at_once(self, event):
        staff = UserFactory(is_platform_staff=True)
        asked = {"organization_id": event.org_id, "actor_id": staff.pk, "now": timezone.now()}

        async def scenario(application):
            visit = Visit(application, of(event))
            await visit.begin()
            await visit.next()
            while application.hub.is_deaf:
                await asyncio.sleep(0.01)
            await aside(partial(services.suspend_organization, **asked))
            async with asyncio.timeout(10):
                await visit.until_over()

        living(scenario)

    @pytest.mark.usefixtures("nothing_is_found_by_looking")
    def test_who_is_asked_again_sees_what_is_new_meanwhile(self, event, monkeypatch):
        monkeypatch.setattr(server, "ASK_AGAIN", 0.2)

        async def scenario(application):
            visit, go_on = Visit(application, of(event)), threading.Event()
            await visit.begin()
            await visit.next()
            await _listens(application)
            for _ in range(server.THREADS):  # so that nobody who is asked is answered
                application._asking.submit(go_on.wait, 20)
            try:
                await asyncio.sleep(3 * server.ASK_AGAIN)
                await book(event, 3)
                async with asyncio.timeout(10):
                    await visit.until(lambda state: state["left"] == 7)
            finally:
                go_on.set()

        living(scenario)

    @pytest.mark.usefixtures("nothing_is_found_by_looking")
    def test_who_is_doubted_sees_nothing_new_until_it_is_known(self, event, monkeypatch):
        async def scenario(application):
            visit, go_on = Visit(application, of(event)), threading.Event()
            await visit.begin()
            await visit.next()
            await _listens(application)
            for _ in range(server.THREADS):
                application._asking.submit(go_on.wait, 20)
            try:
                await aside(standing_news.changed, event.pk)
                await book(event, 3)
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(1):
                        await visit.until(lambda state: state["left"] == 7)
            finally:
                go_on.set()
            await visit.until(lambda state: state["left"] == 7)

        living(scenario)

    def test_who_came_together_is_not_asked_together(self, event, monkeypatch):
        monkeypatch.setattr(server, "ASK_AGAIN", 2.0)
        asked = []

        def remember(**_):
            asked.append(time.monotonic())

        async def scenario(application):
            visits = [Visit(application, of(event)) for _ in range(20)]
            request_started.connect(remember)
            try:
                for visit in visits:
                    await visit.begin()
                came = len(asked)
                while len(asked) < came + 20:
                    await asyncio.sleep(0.05)
            finally:
                request_started.disconnect(remember)
            middle = asked[came:]
            assert middle[-5] - middle[4] > server.ASK_AGAIN / 4

        living(scenario)

    def test_a_host_shows_the_events_of_its_own_organization_alone(self, event):
        other = OrganizationFactory()

        async def scenario(application):
            for organization, status in ((event.org, 200), (other, 404)):
                visit = Visit(application, of(event), host=f"{organization.slug}.localhost")
                assert await visit.begin() == status

        living(scenario)

    def test_an_unknown_host_is_refused(self, event):
        async def scenario(application):
            assert await Visit(application, of(event), host="elsewhere.example").begin() == 421

        living(scenario)


class TestAProcess:
    def test_forgets_who_hangs_up(self, event):
        async def scenario(application):
            visits = [Visit(application, of(event)) for _ in range(5)]
            for visit in visits:
                await visit.begin()
            assert len(application.hub) == 5
            for visit in visits:
                await visit.hang_up()
            assert len(application.hub) == 0
            assert (application._streams, len(application._held)) == (0, 0)

        living(scenario)

    def test_forgets_whose_server_was_cut_off(self, event):
        async def scenario(application):
            visit = Visit(application, of(event))
            await visit.begin()
            await visit.next()
            visit.task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await visit.task
            assert len(application.hub) == 0

        living(scenario)

    def test_holds_so_many_streams_and_no_more(self, event, settings):
        settings.LIVE_MOST_STREAMS = 2

        async def scenario(application):
            visits = [Visit(application, of(event)) for _ in range(3)]
            assert [await visit.begin() for visit in visits] == [200, 200, 503]
            assert visits[2].headers["retry-after"] == "30"
            await visits[0].hang_up()
            assert await Visit(application, of(event)).begin() == 200

        living(scenario)

    def test_holds_so_many_of_one_person_and_no_more(self, person, settings):
        settings.LIVE_MOST_STREAMS_OF_A_PERSON = 2
        own, others = signed_in(person), signed_in(UserFactory())

        async def scenario(application):
            visits = [Visit(application, INBOX, cookie=cookie) for cookie in (own, own, own, others)]
            assert [await visit.begin() for visit in visits] == [200, 200, 429, 200]
            assert visits[2].headers["retry-after"] == "30"

        living(scenario)

    def test_holds_so_many_from_one_address_that_nobody_is_signed_in_for(self, event, person, settings):
        settings.LIVE_MOST_STREAMS_OF_AN_ADDRESS = 2
        cookie = signed_in(person)

        async def scenario(application):
            visits = [Visit(application, of(event)) for _ in range(3)]
            assert [await visit.begin() for visit in visits] == [200, 200, 429]
            assert await Visit(application, of(event), cookie=cookie).begin() == 200
            await visits[0].hang_up()
            assert await Visit(application, of(event)).begin() == 200

        living(scenario)

    def test_says_now_and_then_that_it_is_there(self, event, monkeypatch):
        monkeypatch.setattr(server, "KEEP_ALIVE", 0.1)

        async def scenario(application):
            visit = Visit(application, of(event))
            await visit.begin()
            await visit.until_comment()

        living(scenario)

    def test_ends_a_stream_after_a_while(self, event, monkeypatch):
        monkeypatch.setattr(server, "LIFE", (0.2, 0.3))
        monkeypatch.setattr(server, "KEEP_ALIVE", 0.1)

        async def scenario(application):
            visit = Visit(application, of(event))
            await visit.begin()
            await visit.until_over()
            assert len(application.hub) == 0

        living(scenario)

    def test_lets_go_of_who_takes_nothing(self, event, monkeypatch):
        monkeypatch.setattr(server, "STUCK", 0.1)

        async def scenario(application):
            visit = Visit(application, of(event))
            visit._outgoing = asyncio.Queue(maxsize=1)  # the head of the answer, and nothing after it
            await visit.begin()
            await visit.task
            assert len(application.hub) == 0

        living(scenario)

    def test_ends_all_streams_when_it_is_asked_to(self, event, monkeypatch):
        async def scenario(application):
            visit = Visit(application, of(event))
            await visit.begin()
            await visit.next()
            monkeypatch.setattr(live_process, "application", application)
            process = live_process.Server(uvicorn.Config(application))
            process.lifespan, process.servers = LifespanOff(process.config), []
            process.handle_exit(signal.SIGTERM, None)
            assert not visit.task.done()  # a signal comes in the middle of anything, and only leaves word
            await process.shutdown()
            await visit.until_over()

        living(scenario)

    def test_shows_the_end_of_an_event_that_was_deleted(self, event):
        async def scenario(application):
            visit = Visit(application, of(event))
            await visit.begin()
            await visit.next()
            await aside(Event.objects.filter(pk=event.pk).delete)
            application.hub.mark_all()
            await visit.until_over()

        living(scenario)

    def test_does_nothing_but_look(self, event):
        async def scenario(application):
            visit = Visit(application, of(event))
            visit._scope["method"] = "POST"
            assert await visit.begin() == 405

        living(scenario)


class TestRedis:
    @pytest.fixture
    def own_redis(self, tmp_path, settings, monkeypatch):
        own = OwnRedis(tmp_path)
        own.start()
        settings.LIVE_REDIS_URL = own.url
        monkeypatch.setattr(live, "ANNOUNCER", Announcer(own.url, settings.LIVE_CHANNEL))
        monkeypatch.setattr(listener, "PAUSE", 0.05)
        yield own
        own.stop()

    def test_that_was_wiped_changes_nothing(self, event):
        async def scenario(application):
            visit = Visit(application, of(event))
            await visit.begin()
            await visit.next()
            await _listens(application)
            with redis.Redis.from_url(settings.LIVE_REDIS_URL) as client:
                client.flushdb()
            await book(event, 3)
            assert (await visit.next())["left"] == 7
            other = Visit(application, of(event))
            await other.begin()
            assert (await other.next())["left"] == 7

        living(scenario)

    def test_that_is_away_makes_updates_late_and_nothing_else(self, event, own_redis, monkeypatch):
        monkeypatch.setattr(hub, "LOOK_EVERY", NEVER)
        monkeypatch.setattr(hub, "LOOK_EVERY_WHILE_DEAF", 0.2)

        async def scenario(application):
            visit = Visit(application, of(event))
            await visit.begin()
            await visit.next()
            await _listens(application)
            own_redis.stop()
            while not application.hub.is_deaf:
                await asyncio.sleep(0.01)
            await book(event, 3)
            assert (await visit.until(lambda state: state["left"] == 7))["left"] == 7
            other = Visit(application, of(event))
            assert await other.begin() == 200
            assert (await other.next())["left"] == 7

        living(scenario)

    @pytest.mark.usefixtures("nothing_is_found_by_looking")
    def test_that_comes_back_is_listened_to_again_and_nothing_was_missed(self, event, own_redis):
        async def scenario(application):
            visit = Visit(application, of(event))
            await visit.begin()
            await visit.next()
            await _listens(application)
            own_redis.stop()
            while not application.hub.is_deaf:
                await asyncio.sleep(0.01)
            await book(event, 3)
            own_redis.start()
            assert (await visit.next())["left"] == 7
            await book(event, 1)
            assert (await visit.next())["left"] == 6

        living(scenario)

    def test_that_falls_silent_is_noticed(self, own_redis, monkeypatch, event):
        monkeypatch.setattr(listener, "SILENCE", 0.2)
        monkeypatch.setattr(listener, "ANSWERS_WITHIN", 0.3)

        async def scenario(application):
            visit = Visit(application, of(event))
            await visit.begin()
            await _listens(application)
            await asyncio.sleep(0.5)
            assert not application.hub.is_deaf
            own_redis.pause()
            try:
                while not application.hub.is_deaf:
                    await asyncio.sleep(0.01)
            finally:
                own_redis.resume()
            await _listens(application)

        living(scenario)

    def test_that_lies_does_no_harm(self, event):
        async def scenario(application):
            visit = Visit(application, of(event))
            await visit.begin()
            await visit.next()
            await _listens(application)
            with redis.Redis.from_url(settings.LIVE_REDIS_URL) as client:
                for lie in (b"\xff", b"[]", b"7", b'{"events": 7}', b'{"events": ["x"]}', b'{"moon": []}'):
                    client.publish(settings.LIVE_CHANNEL, lie)
            await book(event, 3)
            assert (await visit.next())["left"] == 7

        living(scenario)


class TestWhereNothingStreams:
    """Served as ordinary pages."""

    def test_a_stream_tells_everything_once_and_asks_to_come_back(self, client, event):
        response = client.get(of(event))
        told = b"".join(response.streaming_content).decode()
        assert response["Content-Type"] == "text/event-stream"
        assert "retry: 1" in told
        assert '"left": 10' in told

    def test_an_event_can_be_asked_for(self, client, hall, person):
        client.force_login(person)
        services.book(event_id=hall.pk, user_id=person.pk, seat_nos=[2, 3], now=timezone.now(), key=uuid4())
        response = client.get(f"/events/{hall.pk}/state/?seats=1-6")
        assert (response.json()["left"], response.json()["taken"]) == (8, [[2, 3]])
        again = client.get(f"/events/{hall.pk}/state/?seats=1-6", headers={"if-none-match": response["ETag"]})
        assert again.status_code == 304

    def test_an_event_that_one_may_not_see_cannot_be_asked_for(self, client):
        assert client.get(f"/events/{EventFactory(draft=True).pk}/state/").status_code == 404

    def test_an_inbox_can_be_asked_for(self, client, person):
        client.force_login(person)
        _tell(person, at=timezone.now() - timedelta(hours=1))
        newest = _tell(person)
        response = client.get("/notifications/state/")
        assert response.json() == {"unread": 2, "newest": str(newest.pk)}
        again = client.get("/notifications/state/", headers={"if-none-match": response["ETag"]})
        assert again.status_code == 304

    def test_nobodys_inbox_cannot_be_asked_for(self, client):
        assert client.get("/notifications/state/").status_code == 403


def _tell(person, *, at=None) -> Notification:
    told = Notification.objects.create(user=person, type="event_reminder", created_at=at or timezone.now())
    live.nudge_people([person.pk])
    return told


async def _listens(application) -> None:
    while application.hub.is_deaf:
        await asyncio.sleep(0.01)
