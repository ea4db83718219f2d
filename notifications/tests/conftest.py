import asyncio
import socket
import threading
from email import message_from_bytes, policy
from uuid import uuid4

import pika
import pytest
from aiosmtpd.controller import Controller
from django.conf import settings as configured
from django.db import transaction
from django.utils import timezone

from notifications import outbox, states
from notifications.broker import Consumer, Publisher, Topology
from notifications.broker.connecting import parameters
from notifications.delivery import deliver
from notifications.models import Notification
from notifications.post_room import PostRoom
from tests.factories import UserFactory


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def owe(db, now):
    """Owe a message to somebody new, or whom it names; returns its row."""

    def owing(kind: str = "booking_confirmed", **facts) -> Notification:
        facts = {
            "user_id": facts.get("user_id") or UserFactory().pk,
            "dedupe_key": str(uuid4()),
            "booking_id": uuid4(),
            "event_id": uuid4(),
            **facts,
        }
        facts["payload"] = {**PAYLOAD, **facts.get("payload", {})}
        at = facts.pop("at", now)
        with transaction.atomic():
            outbox.enqueue([outbox.Owed(type=kind, **facts)], now=at)
        return Notification.objects.get(dedupe_key=facts["dedupe_key"])

    return owing


PAYLOAD = {
    "title": "An evening with Ada",
    "place": "Town hall, Rathausplatz 1",
    "starts_at": "2030-06-14T17:00:00+00:00",
    "ends_at": "2030-06-14T19:00:00+00:00",
    "time_zone": "Europe/Berlin",
    "sequence": 0,
    "seats": 2,
    "seat_labels": ["Row A, seat 3", "Row A, seat 4"],
    "booking_version": 1,
}


class Sink:
    """A mail server in this process that takes mail, or answers what it is told to."""

    def __init__(self) -> None:
        self.mails, self.answers, self.connections = [], {}, 0
        self.takes_seconds, self.on_mail = {}, {}  # by address: for a mail; what to do when one has come
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.lock = threading.Lock()

    async def handle_MAIL(self, server, session, envelope, address, options):
        if answer := self.answers.get("MAIL"):
            return answer
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if answer := self.answers.get(address):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_HELO(self, server, session, envelope, hostname):
        session.host_name = hostname
        return "250 sink"

    async def handle_DATA(self, server, session, envelope):
        with self.lock:
            self.connections += not getattr(session, "counted", False)
            session.counted = True
            if answer := self.answers.get("DATA"):
                return answer
        [address] = envelope.rcpt_tos
        await asyncio.to_thread(self.on_mail.get(address, lambda: None))
        await asyncio.sleep(self.takes_seconds.get(address, 0))
        with self.lock:
            self.mails.append(message_from_bytes(envelope.original_content, policy=policy.default))
        if self.answers.get("cut after") == len(self.mails):
            await server.push("250 taken")
            server.transport.close()
        return "250 taken"

    @property
    def addresses(self) -> list[str]:
        return [mail["To"] for mail in self.mails]

    def start(self) -> None:
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self.controller.start()

    def stop(self) -> None:
        if self.controller.server:
            self.controller.stop()


@pytest.fixture
def sink(settings):
    """A mail server to which everything goes."""
    server = Sink()
    server.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", server.port, 2
    yield server
    server.stop()


@pytest.fixture
def post():
    held = PostRoom(1)
    yield held
    held.close()


@pytest.fixture
def hand_over(now):
    """What the relay does: the rows are sent."""

    def handing(*rows, at=None):
        states.claim(in_bulk=False, most=100, now=at or now)
        states.claim(in_bulk=True, most=100, now=at or now)
        lease = (at or now) + states.RELAY_LEASE
        assert states.handed_over([row.pk for row in rows], lease=lease, now=at or now) == len(rows)

    return handing


@pytest.fixture
def delivering(post):
    def delivering_(*rows, **options):
        options.setdefault("clock", timezone.now)
        outcome = deliver([row.pk for row in rows], room=post, **options)
        for row in rows:
            row.refresh_from_db()
        return outcome

    return delivering_


@pytest.fixture
def straight(settings):
    """As where there is no RabbitMQ."""
    settings.AMQP_URL = ""


@pytest.fixture
def rabbit(settings):
    """The machine's RabbitMQ, with names of this test's own that are gone afterwards."""
    if not configured.AMQP_URL:
        pytest.skip("no RabbitMQ answers")
    settings.INSTANCE = f"test-{uuid4().hex[:12]}"
    broker = Rabbit(settings.AMQP_URL, Topology.ours())
    yield broker
    broker.remove()


class Rabbit:
    def __init__(self, url: str, topology: Topology) -> None:
        self.url, self.topology = url, topology

    def publisher(self, **options) -> Publisher:
        return Publisher(self.url, self.topology, **options)

    def consumer(self, *, prefetch: int = 50) -> Consumer:
        return Consumer(self.url, self.topology, prefetch=prefetch)

    def channel(self):
        self.connection = pika.BlockingConnection(parameters(self.url))
        return self.connection.channel()

    def bodies(self) -> list[str]:
        """What waits in the queue, taken out of it."""
        with self.consumer() as consumer:
            found = []
            while batch := consumer.batch(most=50, seconds=0.3):
                found += [delivery.body.decode() for delivery in batch]
                consumer.done(batch)
            return found

    def remove(self) -> None:
        channel = self.channel()
        for queue in (self.topology.queue, self.topology.dead):
            channel.queue_delete(queue)
        channel.exchange_delete(self.topology.exchange)
        self.connection.close()
