import time

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from orgs import breaker, sessions
from orgs.models import User
from orgs.session_copies import ENDED, SessionCopies
from orgs.sessions import SessionStore
from tests.factories import UserFactory
from tests.own_redis import OwnRedis

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = OwnRedis(tmp_path_factory.mktemp("redis"))
    yield server
    server.stop()


@pytest.fixture
def own_redis(server):
    server.stop()
    server.start()
    return server


@pytest.fixture
def copies(own_redis, monkeypatch):
    """The copies of this process; a second process would have its own."""
    monkeypatch.setattr(breaker, "REST", 0.05)
    monkeypatch.setattr("orgs.session_copies.SECONDS", 0.6)  # a busy machine is no outage
    made = SessionCopies(own_redis.url)
    monkeypatch.setattr(sessions, "copies", made)
    return made


@pytest.fixture
def session(copies):
    made = SessionStore()
    made["seat"] = "A7"
    made.save()
    return made


def read_again(session) -> dict:
    return dict(SessionStore(session.session_key).items())


def drop_row(session) -> None:
    """What shows whether a session came from its copy: past the store, so that the copy stays."""
    Session.objects.filter(session_key=session.session_key).delete()


def until(condition, seconds=5):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


class TestReading:
    def test_asks_postgresql_nothing_while_a_copy_is_warm(self, session):
        with CaptureQueriesContext(connection) as queries:
            assert read_again(session) == {"seat": "A7"}
        assert not queries.captured_queries

    def test_makes_a_copy_where_there_is_none(self, session, own_redis):
        own_redis.client.flushall()
        assert read_again(session) == {"seat": "A7"}
        drop_row(session)
        assert read_again(session) == {"seat": "A7"}

    def test_keeps_a_copy_for_five_minutes(self, session, own_redis):
        assert 290 < own_redis.client.ttl(f"session:{session.session_key}") <= 300

    def test_keeps_a_copy_no_longer_than_the_session_lives(self, copies, own_redis):
        brief = SessionStore()
        brief.set_expiry(20)
        brief.save()
        assert 15 < own_redis.client.ttl(f"session:{brief.session_key}") <= 20

    def test_takes_no_session_from_who_can_write_to_redis_alone(self, session, own_redis):
        name = f"session:{session.session_key}"
        epoch = own_redis.client.get("session-epoch")
        own_redis.client.set(name, f'{epoch} {{"{SESSION_KEY}": "1"}}')
        assert read_again(session) == {}

    @pytest.mark.parametrize("key", ["short", "x" * 4000, "ünïcödé-" * 4, "a" * 31 + "\x00", "A" * 32])
    def test_looks_for_no_key_that_is_not_like_its_own(self, copies, key):
        with CaptureQueriesContext(connection) as queries:
            assert SessionStore(key).get("seat") is None
        assert not queries.captured_queries

    def test_is_the_same_for_asynchronous_callers(self, session):
        assert async_to_sync(SessionStore(session.session_key).aget)("seat") == "A7"


class TestEnding:
    def test_leaves_nothing_to_read(self, session, copies):
        session.flush()
        key = Session.objects.first()
        assert key is None
        assert read_again(session) == {}

    def test_is_not_undone_by_who_read_the_row_just_before(self, session, copies):
        key, held = session.session_key, session.encode({"seat": "A7"})
        session.delete()
        copies.write(key, held, seconds=300)
        assert copies.read(key) == ENDED
        assert SessionStore(key).get("seat") is None

    def test_gives_a_new_key_to_who_signs_in(self, client, copies):
        client.get(reverse("account_login"))
        session = client.session
        session["from"] = "before"
        session.save()
        client.cookies["sessionid"] = before = session.session_key
        client.force_login(UserFactory())
        assert client.session.session_key != before
        assert SessionStore(before).get("from") is None


class TestWithoutRedis:
    def test_reads_and_writes_rows(self, session, own_redis):
        own_redis.stop()
        session["seat"] = "B1"
        session.save()
        assert read_again(session) == {"seat": "B1"}

    def test_waits_once_for_a_redis_that_is_stalled(self, session, own_redis, monkeypatch):
        monkeypatch.setattr(breaker, "REST", 60)
        own_redis.pause()
        begun = time.monotonic()
        for _ in range(20):
            assert read_again(session) == {"seat": "A7"}
        own_redis.resume()
        assert time.monotonic() - begun < 1.5  # not twenty times 150 ms

    def test_reads_copies_again_when_redis_is_back(self, session, own_redis):
        own_redis.stop()
        assert read_again(session) == {"seat": "A7"}
        own_redis.start()
        until(lambda: read_again(session) and own_redis.client.get(f"session:{session.session_key}"))

    def test_reads_no_copy_from_before_the_outage(self, session, own_redis, copies):
        own_redis.pause()
        read_again(session)  # notices
        drop_row(session)  # as another machine would end it, its word to Redis lost
        own_redis.resume()
        until(lambda: copies.read(session.session_key) is None and own_redis.client.ping())
        assert read_again(session) == {}

    def test_reads_no_copy_that_a_restarted_server_remembers(self, session, own_redis):
        """Its file may be older than the last ends it was told, and nobody need have noticed the restart."""
        names = ["session-epoch", f"session:{session.session_key}"]
        kept = dict(zip(names, own_redis.client.mget(names), strict=True))
        own_redis.stop()
        own_redis.start()
        own_redis.client.mset(kept)
        drop_row(session)
        assert read_again(session) == {}

    def test_control_the_same_server_still_knows_its_copies(self, session):
        drop_row(session)
        assert read_again(session) == {"seat": "A7"}


class TestSigningOut:
    @pytest.fixture
    def ada(self):
        return UserFactory(verified=True)

    def test_ends_this_session_and_no_other(self, client, ada, copies, django_user_model):
        other = type(client)()
        client.force_login(ada)
        other.force_login(ada)
        client.post(reverse("account_logout"))
        assert client.get(reverse("account")).status_code == 302
        assert other.get(reverse("account")).status_code == 200

    def test_ends_all_where_redis_cannot_be_told(self, client, ada, copies, monkeypatch):
        """Another process, which still reaches Redis, reads the copy; the person's row ends it."""
        client.force_login(ada)
        cookie = client.cookies["sessionid"].value
        with monkeypatch.context() as cut_off:
            cut_off.setattr(sessions, "copies", SessionCopies("redis://127.0.0.1:1"))
            client.post(reverse("account_logout"))
        assert copies.read(cookie) not in (None, ENDED)
        client.cookies["sessionid"] = cookie
        assert client.get(reverse("account")).status_code == 302

    def test_everywhere_is_one_number(self, client, ada, copies):
        client.force_login(ada)
        User.objects.filter(pk=ada.pk).end_sessions()
        assert client.get(reverse("account")).status_code == 302
        assert not Session.objects.exists()

    def test_everywhere_costs_a_signed_in_page_nothing(self, client, ada, copies):
        client.force_login(ada)
        client.get(reverse("account"))
        with CaptureQueriesContext(connection) as queries:
            client.get(reverse("account"))
        about_sessions = [q for q in queries.captured_queries if "django_session" in q["sql"]]
        about_the_person = [q for q in queries.captured_queries if 'FROM "users"' in q["sql"]]
        assert (len(about_sessions), len(about_the_person)) == (0, 2)  # one is the form's own copy
