"""The stage: servers for the whole run, processes and a crowd for each test."""

from collections.abc import Callable, Iterator

import pytest
from django.core.management import call_command
from django.db import connection

from events.models import Event
from happening.demo.signed_in import signed_in_sessions
from orgs.models import User
from tests.factories import EventFactory
from tests.faults import plugin
from tests.faults.mail_sink import MailSink
from tests.faults.outbox import nobody_is_owed_anything
from tests.faults.programs import Program, Site, Web
from tests.faults.servers import FaultyPostgres, FaultyRabbit, FaultyValkey
from tests.faults.visitor import Log, Visitor

PEOPLE = 400


@pytest.fixture(scope="session")
def postgres() -> Iterator[FaultyPostgres]:
    """The run's own PostgreSQL: durable, with the schema and no data."""
    server = plugin.POSTGRES
    server.start()
    try:
        server.forget()
        call_command("migrate", verbosity=0, interactive=False)
        yield server
    finally:
        connection.close()
        server.stop()


@pytest.fixture(scope="session")
def valkey() -> Iterator[FaultyValkey]:
    server = plugin.VALKEY
    server.start()
    try:
        server.wipe()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def rabbitmq() -> Iterator[FaultyRabbit | None]:
    """The run's own broker; None where none is installed. A test that needs one asks for `broker`."""
    server = plugin.RABBITMQ
    if server is None:
        yield None
        return
    server.forget()
    server.start()
    try:
        yield server
    finally:
        server.end()


@pytest.fixture
def broker(rabbitmq) -> FaultyRabbit:
    if rabbitmq is None:
        pytest.skip("RabbitMQ is not installed")
    return rabbitmq


@pytest.fixture
def mail_sink() -> Iterator[MailSink]:
    sink = MailSink()
    sink.start()
    try:
        yield sink
    finally:
        sink.stop()


@pytest.fixture
def site(tmp_path, postgres, valkey, rabbitmq) -> Iterator[Site]:
    """Nothing runs yet: `site.web()`, `site.worker()`, `site.beat()`, `site.sender()` start one each."""
    site = Site(tmp_path, {})
    try:
        yield site
    finally:
        site.stop()
        connection.close()  # which a test may have broken


@pytest.fixture
def house(site, broker, mail_sink) -> Site:
    """What delivers, nothing of it started yet, and a mail server of its own."""
    site.env |= {"EMAIL_URL": mail_sink.url, "EMAIL_TIMEOUT": "2"}
    nobody_is_owed_anything(broker)
    return site


@pytest.fixture
def running(house) -> tuple[Program, Program, Program]:
    """Worker, beat and sender."""
    return house.worker(), house.beat(), house.sender()


@pytest.fixture(scope="module")
def background(tmp_path_factory, postgres, valkey, rabbitmq) -> Iterator[list[Program]]:
    """Worker and beat, as they run beside every web process in production."""
    site = Site(tmp_path_factory.mktemp("background"), {})
    try:
        yield [site.worker(), site.beat()]
    finally:
        site.stop()


@pytest.fixture(scope="session")
def sessions(postgres, valkey) -> list[tuple]:
    """People who are signed in, by their session keys; enough for each test to begin where it likes."""
    keys = list(signed_in_sessions(PEOPLE))
    people = {person.email: person.pk for person in User.objects.filter(email__endswith="@load.test")}
    return [(people[f"p{number}@load.test"], key) for number, key in enumerate(keys, start=1)]


@pytest.fixture
def log(tmp_path) -> Iterator[Log]:
    log = Log(tmp_path / "crowd.jsonl")
    yield log
    log.close()


@pytest.fixture
def visitors(sessions, log) -> Callable[[int], list[Visitor]]:
    return lambda count: [Visitor(person, session, log) for person, session in sessions[:count]]


@pytest.fixture
def make_event(postgres) -> Callable[..., Event]:
    """An event on sale; `make_event(total_slots=60, waitlist=False)`."""
    return EventFactory


@pytest.fixture
def two_webs(site) -> tuple[Web, Web]:
    return site.web("one"), site.web("two")
